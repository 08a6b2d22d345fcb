using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class DataPhaseTests
{
    private const int Burst = RecordFloodGuard.Budget / RecordFloodGuard.IdleRecordCost;
    private const int PerSecond = RecordFloodGuard.RefillPerSecond / RecordFloodGuard.IdleRecordCost;
    private const CipherSuite Tls13 = CipherSuite.Aes128GcmSha256;
    private const CipherSuite Tls12 = CipherSuite.EcdheRsaAes256GcmSha384;

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Data_alerts_and_close_pass_under_every_suite(CipherSuite suite, bool encryptThenMac)
    {
        using var server = new DataPhase(TestSessions.Create(suite, encryptThenMac));
        using var client = new TestClient(TestSessions.Create(suite, encryptThenMac));
        var room = new byte[20_000];

        Assert.Equal(ReadStatus.ApplicationData, server.Read(client.SealData(500, seed: 3), room, out var written));
        Assert.Equal(TestSessions.Bytes(500, 3), room[..written]);
        Assert.Equal(ReadStatus.CloseNotify, server.Read(client.SealAlert(AlertLevel.Warning, AlertDescription.CloseNotify), room, out _));

        Assert.Equal(4000, client.Open(TestClient.Seal(server.Writer, ContentType.ApplicationData, new byte[4000])).Content.Length);
        var length = server.WriteAlert(AlertDescription.CloseNotify, room);
        var (type, content) = client.Open(room.AsSpan(0, length));
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([1, 0], content);
    }

    [Fact]
    public void Session_is_consumed()
    {
        var session = TestSessions.Create(Tls13);
        using var server = new DataPhase(session);

        Assert.Throws<ObjectDisposedException>(() => session.ClientSecret.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => session.ServerSecret.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => session.ExporterSecret.Span.Length);
        Assert.Equal((TlsVersion.Tls13, Tls13), (server.Version, server.CipherSuite));
    }

    [Fact]
    public void Records_are_counted_from_the_sessions_sequence_on()
    {
        using var peer = new DataPhasePeer(Tls12);
        Assert.Equal(1UL, peer.Server.RecordsOpened);
        peer.Read(peer.Client.SealData(1));
        peer.Read(peer.Client.SealData(1));
        Assert.Equal(3UL, peer.Server.RecordsOpened);
    }

    [Theory]
    [InlineData(Tls13)]
    [InlineData(Tls12)]
    public void After_close_notify_records_are_ignored_and_the_other_direction_goes_on(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        Assert.Equal(ReadStatus.CloseNotify, peer.Read(peer.Client.SealAlert(AlertLevel.Warning, AlertDescription.CloseNotify)));

        Assert.Equal(ReadStatus.CloseNotify, peer.Read([1, 2, 3]));
        Assert.Equal(100, peer.Client.Open(peer.SealFromServer(100)).Content.Length);
        Assert.Null(peer.Server.ReceivedFatalAlert);
    }

    [Theory]
    [InlineData(Tls13, AlertLevel.Fatal, AlertDescription.BadCertificate)]
    [InlineData(Tls13, AlertLevel.Warning, AlertDescription.BadCertificate)]
    [InlineData(Tls13, AlertLevel.Fatal, (AlertDescription)250)]
    [InlineData(Tls12, AlertLevel.Fatal, AlertDescription.DecryptError)]
    public void Fatal_alert_of_the_client_is_told_apart(CipherSuite suite, AlertLevel level, AlertDescription alert)
    {
        using var peer = new DataPhasePeer(suite);

        Assert.Equal(alert, peer.Refusal(peer.Client.SealAlert(level, alert)));
        Assert.Equal(alert, peer.Server.ReceivedFatalAlert);
        Assert.Equal(alert, peer.Refusal(peer.Client.SealData(10)));
    }

    [Theory]
    [InlineData(Tls13, AlertDescription.UserCanceled)]
    [InlineData(Tls12, AlertDescription.UserCanceled)]
    [InlineData(Tls12, AlertDescription.NoRenegotiation)]
    public void Warnings_are_passed_over_until_there_are_too_many_for_the_time(CipherSuite suite, AlertDescription alert)
    {
        using var peer = new DataPhasePeer(suite);
        for (var i = 0; i < Burst; i++)
            Assert.Equal(ReadStatus.Handled, peer.Read(peer.Client.SealAlert(AlertLevel.Warning, alert)));
        peer.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < PerSecond; i++)
            peer.Read(peer.Client.SealAlert(AlertLevel.Warning, alert));
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.SealAlert(AlertLevel.Warning, alert)));
        Assert.Null(peer.Server.ReceivedFatalAlert);
    }

    [Theory]
    [InlineData(Tls13, new byte[0], AlertDescription.UnexpectedMessage)]
    [InlineData(Tls12, new byte[0], AlertDescription.UnexpectedMessage)]
    [InlineData(Tls13, new byte[] { 1 }, AlertDescription.DecodeError)]
    [InlineData(Tls13, new byte[] { 1, 0, 0 }, AlertDescription.DecodeError)]
    [InlineData(Tls12, new byte[] { 1, 90, 1, 0 }, AlertDescription.DecodeError)]
    [InlineData(Tls12, new byte[] { 3, 90 }, AlertDescription.IllegalParameter)]
    public void Alert_record_that_is_not_one_alert_is_refused(CipherSuite suite, byte[] content, AlertDescription expected)
    {
        using var peer = new DataPhasePeer(suite);
        Assert.Equal(expected, peer.Refusal(peer.Client.Seal(ContentType.Alert, content)));
        Assert.Null(peer.Server.ReceivedFatalAlert);
    }

    [Theory]
    [InlineData(Tls13)]
    [InlineData(Tls12)]
    public void Empty_records_are_passed_over_until_there_are_too_many_for_the_time_and_the_data(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        for (var i = 0; i < Burst; i++)
            Assert.Empty(peer.ReadData(peer.Client.SealData(0)));
        for (var i = 0; i < 10; i++)
        {
            Assert.Single(peer.ReadData(peer.Client.SealData(1)));
            Assert.Empty(peer.ReadData(peer.Client.SealData(0)));
        }

        peer.Clock.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < PerSecond; i++)
            peer.ReadData(peer.Client.SealData(0));
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.SealData(0)));
    }

    [Theory]
    [InlineData(Tls13, 20)]
    [InlineData(Tls13, 24)]
    [InlineData(Tls13, 255)]
    [InlineData(Tls12, 20)]
    public void Content_type_without_a_meaning_after_the_handshake_is_refused(CipherSuite suite, byte type)
    {
        using var peer = new DataPhasePeer(suite);
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.Seal((ContentType)type, 1)));
    }

    [Fact]
    public void Tls_1_3_record_without_a_type_is_refused()
    {
        // Type 0 and content 0: nothing but padding.
        using var peer = new DataPhasePeer(Tls13);
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.Seal(0, 0, 0, 0)));
    }

    [Fact]
    public void Tls_1_3_padding_is_taken_off()
    {
        using var peer = new DataPhasePeer(Tls13);
        byte[] padded = [7, 0, 9, 0, (byte)ContentType.ApplicationData, .. new byte[500]];

        // Sealed as of type 0: the last byte of the padding.
        Assert.Equal([7, 0, 9, 0], peer.ReadData(peer.Client.Seal(0, padded)));
        Assert.Equal(ReadStatus.CloseNotify, peer.Read(peer.Client.Seal(0, 1, 0, (byte)ContentType.Alert, 0, 0)));
    }

    [Fact]
    public void Tls_1_3_padding_counts_toward_the_limit()
    {
        using var fits = new DataPhasePeer(Tls13);
        Assert.Equal(RecordHeader.MaxPlaintext, fits.ReadData(fits.Client.SealData(RecordHeader.MaxPlaintext)).Length);

        using var peer = new DataPhasePeer(Tls13);
        byte[] padded = [7, (byte)ContentType.ApplicationData, .. new byte[RecordHeader.MaxPlaintext - 1]];
        Assert.Equal(AlertDescription.RecordOverflow, peer.Refusal(TestClient.SealUnlimited(Tls13, false, 0, padded)));
    }

    [Theory]
    [InlineData(ContentType.Alert)]
    [InlineData(ContentType.Handshake)]
    [InlineData(ContentType.ChangeCipherSpec)]
    public void Unprotected_record_is_refused(ContentType type)
    {
        using var peer = new DataPhasePeer(Tls13);
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal([(byte)type, 3, 3, 0, 2, 1, 0]));
    }

    [Fact]
    public void Error_above_the_record_layer_sticks()
    {
        using var peer = new DataPhasePeer(Tls13);
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.Seal(ContentType.Handshake)));
        Assert.Equal(AlertDescription.UnexpectedMessage, peer.Refusal(peer.Client.SealData(10)));
    }

    [Theory]
    [InlineData(Tls13)]
    [InlineData(Tls12)]
    public void Alert_is_the_last_record(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        var room = new byte[DataPhase.ControlRoom];

        var length = peer.Server.WriteAlert(AlertDescription.BadRecordMac, room);

        Assert.Equal([2, 20], peer.Client.Open(room.AsSpan(0, length)).Content);
        Assert.Equal(0, peer.Server.WriteAlert(AlertDescription.CloseNotify, room));
        Assert.False(peer.Server.HasPending);
        Assert.Equal(0, peer.Server.WritePending(room));
        Assert.Throws<InvalidOperationException>(() => peer.SealFromServer(1));
    }

    [Fact]
    public void Control_records_need_their_room()
    {
        using var peer = new DataPhasePeer(Tls13);
        peer.Read(peer.Client.SealKeyUpdate(1));

        Assert.Throws<ArgumentException>(() => peer.Server.WritePending(new byte[DataPhase.ControlRoom - 1]));
        Assert.Throws<ArgumentException>(() => peer.Server.WriteAlert(AlertDescription.CloseNotify, new byte[DataPhase.ControlRoom - 1]));
        Assert.True(peer.Server.HasPending);
    }

    [Theory]
    [MemberData(nameof(TestSessions.Aead), MemberType = typeof(TestSessions))]
    public void Data_is_read_without_allocation(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        var records = new Queue<byte[]>(Enumerable.Range(0, 1050).Select(_ => peer.Client.SealData(1000)));
        var room = new byte[records.Peek().Length];

        Allocations.AssertNone(() =>
        {
            for (var i = 0; i < 50; i++)
                peer.Server.Read(records.Dequeue(), room, out _);
        });
    }
}
