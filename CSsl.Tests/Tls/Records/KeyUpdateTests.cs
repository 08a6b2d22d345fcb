using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>RFC 8446 sections 4.6.3, 5.1 and 5.5.</summary>
public sealed class KeyUpdateTests
{
    private const byte NotRequested = 0;
    private const byte Requested = 1;
    private const int Burst = RecordFloodGuard.Budget / RecordFloodGuard.KeyUpdateCost;
    private const int PerSecond = RecordFloodGuard.RefillPerSecond / RecordFloodGuard.KeyUpdateCost;
    private const CipherSuite Suite = CipherSuite.Aes256GcmSha384;

    private static readonly byte[] Reply = [24, 0, 0, 1, 0];

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    public void Update_moves_the_read_key(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        peer.ReadData(peer.Client.SealData(10));

        Assert.Equal(ReadStatus.Handled, peer.Read(peer.Client.SealKeyUpdate(NotRequested)));

        Assert.False(peer.Server.HasPending);
        Assert.Equal(TestSessions.Bytes(20, 42), peer.ReadData(peer.Client.SealData(20)));
        Assert.Equal(3UL, peer.Server.RecordsOpened);
        Assert.Equal(10, peer.Client.Open(peer.SealFromServer(10)).Content.Length);
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    public void Requested_update_is_answered_under_the_old_key(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);

        Assert.Equal(ReadStatus.ReplyPending, peer.Read(peer.Client.SealKeyUpdate(Requested)));
        peer.Client.Open(peer.SealFromServer(5));
        var (type, content) = peer.TakePending();

        Assert.Equal(ContentType.Handshake, type);
        Assert.Equal(Reply, content);
        Assert.Equal(0UL, peer.Server.Writer.Sequence);
        peer.Client.Reader.UpdateKey();
        Assert.Equal(TestSessions.Bytes(30, 30), peer.Client.Open(peer.SealFromServer(30)).Content);
    }

    [Fact]
    public void Requests_before_the_answer_get_one_answer()
    {
        using var peer = new DataPhasePeer(Suite);
        for (var i = 0; i < 5; i++)
            Assert.Equal(ReadStatus.ReplyPending, peer.Read(peer.Client.SealKeyUpdate(Requested)));

        Assert.Equal(Reply, peer.TakePending().Content);

        peer.Client.Reader.UpdateKey();
        peer.Client.Open(peer.SealFromServer(30));
        Assert.Equal(10, peer.ReadData(peer.Client.SealData(10)).Length);
    }

    [Fact]
    public void Update_is_reassembled_over_records()
    {
        using var peer = new DataPhasePeer(Suite);
        foreach (var part in (byte[])[24, 0, 0, 1])
            Assert.Equal(ReadStatus.Handled, peer.Read(peer.Client.Seal(ContentType.Handshake, part)));
        Assert.Equal(ReadStatus.ReplyPending, peer.Read(peer.Client.Seal(ContentType.Handshake, Requested)));
        peer.Client.Writer.UpdateKey();

        Assert.Equal(10, peer.ReadData(peer.Client.SealData(10)).Length);
    }

    [Theory]
    [InlineData(ContentType.ApplicationData)]
    [InlineData(ContentType.Alert)]
    public void Another_record_between_the_parts_of_an_update_is_refused(ContentType type)
    {
        using var peer = new DataPhasePeer(Suite);
        peer.Read(peer.Client.Seal(ContentType.Handshake, 24, 0));
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.Seal(type, 1, 0)));
    }

    [Theory]
    [InlineData(new byte[] { 24, 0, 0, 1, 0, 24 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 24, 0, 0, 1, 0, 24, 0, 0, 1, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 24, 0, 0, 1, 2 }, AlertDescription.IllegalParameter)]
    [InlineData(new byte[] { 24, 0, 0, 0 }, AlertDescription.DecodeError)]
    [InlineData(new byte[] { 24, 0, 1, 0, 0 }, AlertDescription.DecodeError)]
    [InlineData(new byte[] { 24, 1, 0, 0 }, AlertDescription.DecodeError)]
    [InlineData(new byte[] { 0, 0, 0, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 1, 0, 0, 2, 3, 3 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 4, 0, 0, 1, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 11, 0, 0, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 20 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { }, AlertDescription.UnexpectedMessage)]
    public void Message_that_is_no_update_on_its_own_is_refused(byte[] content, AlertDescription expected)
    {
        using var peer = new DataPhasePeer(Suite);
        Assert.Equal(expected, peer.Refusal(peer.Client.Seal(ContentType.Handshake, content)));
    }

    [Fact]
    public void Record_under_the_old_key_is_refused_after_an_update()
    {
        using var peer = new DataPhasePeer(Suite);
        var update = peer.Client.Seal(ContentType.Handshake, 24, 0, 0, 1, NotRequested);
        var late = peer.Client.SealData(10);
        peer.Read(update);
        Assert.Equal(AlertDescription.BadRecordMac, peer.Refusal(late));
    }

    [Theory]
    [InlineData(NotRequested)]
    [InlineData(Requested)]
    public void Updates_are_bounded_over_time(byte request)
    {
        using var peer = new DataPhasePeer(Suite);
        for (var i = 0; i < Burst; i++)
            peer.Read(peer.Client.SealKeyUpdate(request));
        peer.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < PerSecond; i++)
            peer.Read(peer.Client.SealKeyUpdate(request));

        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.SealKeyUpdate(request)));
    }

    [Fact]
    public void Updates_are_bounded_with_a_byte_after_each_and_the_answers_sent()
    {
        using var peer = new DataPhasePeer(Suite);
        var updates = 0;
        var room = new byte[DataPhase.ControlRoom];
        var failure = Assert.Throws<TlsException>(() =>
        {
            for (; updates < 2 * Burst; updates++)
            {
                peer.Read(peer.Client.SealKeyUpdate(Requested));
                peer.Server.WritePending(room);
                peer.ReadData(peer.Client.SealData(1));
            }
        });

        Assert.Equal(AlertDescription.UnexpectedMessage, failure.Alert);
        Assert.InRange(updates, Burst, Burst * 5 / 4);
    }

    [Fact]
    public void Update_with_each_record_of_the_server_is_none_too_many()
    {
        using var peer = new DataPhasePeer(Suite);
        peer.SealFromServer(1);
        for (var i = 0; i < 2 * Burst; i++)
        {
            peer.Read(peer.Client.SealKeyUpdate(Requested));
            peer.SealFromServer(1);
        }
    }

    [Fact]
    public void Key_that_has_sealed_enough_is_replaced()
    {
        using var peer = new DataPhasePeer(Suite, new KeyUsageLimit(UpdateAt: 5, RefuseAt: 8));
        Assert.Equal(2UL, peer.Server.Writer.Sequence);
        for (var i = 0; i < 3; i++)
        {
            Assert.False(peer.Server.HasPending);
            peer.Client.Open(peer.SealFromServer(1));
        }

        Assert.True(peer.Server.Writer.KeyUpdateDue);
        Assert.Equal(Reply, peer.TakePending().Content);
        Assert.False(peer.Server.Writer.KeyUpdateDue);
        peer.Client.Reader.UpdateKey();
        Assert.Equal(TestSessions.Bytes(9, 9), peer.Client.Open(peer.SealFromServer(9)).Content);
    }

    [Fact]
    public void Key_that_is_not_replaced_in_time_seals_no_more_data()
    {
        using var peer = new DataPhasePeer(Suite, new KeyUsageLimit(UpdateAt: 3, RefuseAt: 4));
        peer.SealFromServer(1);
        peer.SealFromServer(1);

        Assert.Throws<InvalidOperationException>(() => peer.SealFromServer(1));
        Assert.True(peer.Server.WriteAlert(AlertDescription.InternalError, new byte[DataPhase.ControlRoom]) > 0);
    }

    [Fact]
    public void Tls_1_2_key_seals_up_to_its_limit_and_then_only_alerts()
    {
        using var peer = new DataPhasePeer(CipherSuite.EcdheRsaAes128GcmSha256, new KeyUsageLimit(UpdateAt: 2, RefuseAt: 4));
        for (var i = 0; i < 3; i++)
        {
            Assert.False(peer.Server.HasPending);
            peer.Client.Open(peer.SealFromServer(1));
        }

        Assert.Throws<InvalidOperationException>(() => peer.SealFromServer(1));
        var room = new byte[DataPhase.ControlRoom];
        var length = peer.Server.WriteAlert(AlertDescription.CloseNotify, room);
        Assert.Equal([1, 0], peer.Client.Open(room.AsSpan(0, length)).Content);
        Assert.Throws<InvalidOperationException>(peer.Server.Writer.UpdateKey);
    }

    [Fact]
    public void Limits_are_those_of_rfc_8446()
    {
        foreach (var suite in CipherSuiteInfo.All)
        {
            var limit = KeyUsageLimit.For(suite);
            Assert.True(limit.UpdateAt < limit.RefuseAt);
            if (suite.Kind == CipherKind.AesGcm)
                Assert.Equal((ulong)Math.Pow(2, 24.5), limit.RefuseAt);
            else
                Assert.Equal(ulong.MaxValue, limit.RefuseAt);
        }
    }

    [Fact]
    public void Sequence_number_does_not_wrap()
    {
        const CipherSuite ChaCha20 = CipherSuite.ChaCha20Poly1305Sha256;
        using var session = TestSessions.Create(ChaCha20);
        session.ServerSequence = ulong.MaxValue - 1;
        session.ClientSequence = ulong.MaxValue;
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server);
        using (reader)
        using (writer)
        {
            TestClient.Seal(writer, ContentType.ApplicationData, [1]);
            Assert.Throws<InvalidOperationException>(() => TestClient.Seal(writer, ContentType.ApplicationData, [1]));
            Assert.Throws<InvalidOperationException>(() => TestClient.Seal(writer, ContentType.Alert, [1, 0]));
            Assert.Equal(AlertDescription.InternalError, Assert.Throws<TlsException>(() => reader.Open([23, 3, 3, 0, 1, 0], new byte[6])).Alert);
        }
    }

    [Fact]
    public async Task Halves_work_on_two_threads()
    {
        const int Records = 3000;
        using var peer = new DataPhasePeer(Suite);
        var updated = 0;
        var reading = Task.Run(() =>
        {
            for (var i = 0; i < Records; i++)
            {
                if (i % 10 == 0)
                    peer.Read(peer.Client.SealKeyUpdate(Requested));
                Assert.Equal(i % 100, peer.ReadData(peer.Client.SealData(i % 100, i)).Length);
            }
        });

        var fromServer = new List<byte[]>();
        await Task.Run(() =>
        {
            var room = new byte[DataPhase.ControlRoom];
            while (!reading.IsCompleted || peer.Server.HasPending)
            {
                if (peer.Server.HasPending)
                {
                    fromServer.Add(room[..peer.Server.WritePending(room)]);
                    updated++;
                }

                if (fromServer.Count < 2 * Records)
                    fromServer.Add(peer.SealFromServer(3));
            }
        });
        await reading;

        Assert.InRange(updated, 1, Records / 10);
        foreach (var record in fromServer)
        {
            if (peer.Client.Open(record).Type == ContentType.Handshake)
                peer.Client.Reader.UpdateKey();
        }
    }
}
