using System.Buffers.Binary;
using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

/// <summary>A session goes on at another silo, from what was exported of it and the counts of the gateway.</summary>
public sealed class TakeoverTests
{
    private const byte NotRequested = 0;
    private const byte Requested = 1;
    private const CipherSuite Suite13 = CipherSuite.Aes128GcmSha256;

    private readonly byte[] _room = new byte[DataPhase.ControlRoom];

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    public void Checkpoint_exports_the_session_only_when_the_clients_key_has_changed(CipherSuite suite)
    {
        using var peer = new DataPhasePeer(suite);
        peer.ReadData(peer.Client.SealData(10));
        Assert.Null(peer.Server.Checkpoint());

        peer.Read(peer.Client.SealKeyUpdate(NotRequested));
        peer.Read(peer.Client.SealKeyUpdate(NotRequested));
        peer.ReadData(peer.Client.SealData(10));
        var session = peer.Server.Checkpoint()!;
        Assert.Equal((4UL, 3UL), (session.ClientSequence, session.ClientKeyBase));
        Assert.Equal((2UL, 0UL), (session.ServerSequence, session.ServerKeyBase));
        Assert.Null(peer.Server.Checkpoint());

        using var next = new DataPhase(Reencoded(session));
        Assert.Equal(TestSessions.Bytes(20, 42), ReadData(next, peer.Client.SealData(20)));
        Assert.Equal(TestSessions.Bytes(30, 7), peer.Client.Open(Seal(next, 30)).Content);
        Assert.Equal((5UL, 3UL), (next.RecordsOpened, next.RecordsSealed));
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    public void Session_after_a_KeyUpdate_of_ours_begins_under_the_new_key(CipherSuite suite)
    {
        using var lost = new DataPhase(TestSessions.Create(suite)) { HoldsKeyUpdates = true };
        using var client = new TestClient(TestSessions.Create(suite));
        client.Open(Seal(lost, 1));
        Read(lost, client.SealKeyUpdate(Requested));

        Assert.True(lost.KeyUpdateHeld);
        Assert.Equal(0, lost.WritePending(_room));
        Assert.True(lost.KeyUpdateHeld);
        var session = Reencoded(lost.ExportNext());
        Assert.False(lost.KeyUpdateHeld);
        Assert.Equal((4UL, 4UL), (session.ServerSequence, session.ServerKeyBase));

        Assert.Equal(ContentType.Handshake, client.Open(_room.AsSpan(0, lost.WritePending(_room))).Type);
        client.Reader.UpdateKey();
        Assert.Equal(4UL, lost.RecordsSealed);
        client.Open(Seal(lost, 1));
        client.Open(Seal(lost, 1));

        // The gateway says how many records it delivered.
        session.ServerSequence = lost.RecordsSealed;
        using var next = new DataPhase(session);
        Assert.Equal(TestSessions.Bytes(50, 7), client.Open(Seal(next, 50)).Content);
    }

    [Fact]
    public void Session_after_a_KeyUpdate_of_ours_reads_from_the_last_checkpoint_on()
    {
        using var lost = new DataPhase(TestSessions.Create(Suite13)) { HoldsKeyUpdates = true };
        using var client = new TestClient(TestSessions.Create(Suite13));
        Read(lost, client.SealKeyUpdate(NotRequested));
        ReadData(lost, client.SealData(1));
        lost.Checkpoint()!.Dispose();
        byte[][] replay = [client.SealData(5), client.SealKeyUpdate(Requested), client.SealData(6), client.SealKeyUpdate(Requested), client.SealData(7)];
        foreach (var record in replay)
            Read(lost, record);

        var session = Reencoded(lost.ExportNext());
        Assert.Equal((2UL, 1UL), (session.ClientSequence, session.ClientKeyBase));
        using var next = new DataPhase(session);
        Assert.Equal([5, 0, 6, 0, 7], replay.Select(record => ReadAny(next, record)));
        Assert.Equal(8, ReadAny(next, client.SealData(8)));
        Assert.Equal(8UL, next.RecordsOpened);
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls13), MemberType = typeof(TestSessions))]
    public void Requested_KeyUpdate_is_the_first_record_after_a_takeover(CipherSuite suite)
    {
        using var client = new TestClient(TestSessions.Create(suite));
        using var next = new DataPhase(TestSessions.Create(suite));
        next.RequestKeyUpdate();
        Assert.True(next.HasPending);

        Assert.Equal([24, 0, 0, 1, 0], client.Open(_room.AsSpan(0, next.WritePending(_room))).Content);
        client.Reader.UpdateKey();
        Assert.Equal(TestSessions.Bytes(50, 7), client.Open(Seal(next, 50)).Content);
        Assert.False(next.HasPending);
    }

    [Fact]
    public void As_many_KeyUpdates_as_were_requested_follow_one_another()
    {
        using var client = new TestClient(TestSessions.Create(Suite13));
        using var next = new DataPhase(TestSessions.Create(Suite13)) { HoldsKeyUpdates = true };
        next.RequestKeyUpdate(3);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(next.KeyUpdateHeld);
            next.ExportNext().Dispose();
            Assert.Equal([24, 0, 0, 1, 0], client.Open(_room.AsSpan(0, next.WritePending(_room))).Content);
            client.Reader.UpdateKey();
        }

        Assert.False(next.HasPending);
        Assert.Equal(TestSessions.Bytes(50, 7), client.Open(Seal(next, 50)).Content);
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls12), MemberType = typeof(TestSessions))]
    public void Tls_1_2_goes_on_with_the_capsule_of_the_handshake(CipherSuite suite)
    {
        using var client = new TestClient(TestSessions.Create(suite));
        using var lost = new DataPhase(TestSessions.Create(suite)) { HoldsKeyUpdates = true };
        ReadData(lost, client.SealData(9));
        client.Open(Seal(lost, 9));
        Assert.Null(lost.Checkpoint());
        Assert.Throws<InvalidOperationException>(() => lost.ExportNext());

        var session = TestSessions.Create(suite);
        (session.ClientSequence, session.ServerSequence) = (lost.RecordsOpened, lost.RecordsSealed);
        session.SkipNonces(takeovers: 1);
        using var next = new DataPhase(session);
        next.RequestKeyUpdate();
        Assert.False(next.HasPending);
        Assert.Equal(9, ReadData(next, client.SealData(9)).Length);
        Assert.Equal(TestSessions.Bytes(9, 7), client.Open(Seal(next, 9)).Content);
    }

    [Fact]
    public void Explicit_nonces_of_takeovers_never_meet()
    {
        var used = new HashSet<ulong>();
        foreach (var takeovers in (ushort[])[0, 1, 2, 255, ushort.MaxValue])
        {
            var session = TestSessions.Create(CipherSuite.EcdheRsaAes128GcmSha256);
            session.SkipNonces(takeovers);
            using var phase = new DataPhase(session);
            for (var record = 0; record < 40; record++)
                Assert.True(used.Add(BinaryPrimitives.ReadUInt64BigEndian(Seal(phase, 1).AsSpan(RecordHeader.Size))));
        }

        using var untouched = TestSessions.Create(Suite13);
        untouched.SkipNonces(1);
        Assert.Equal(TestSessions.ExplicitNonceBase, untouched.ExplicitNonceBase);
    }

    /// <summary>As a capsule carries it.</summary>
    private static ExportedSession Reencoded(ExportedSession session)
    {
        using (session)
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            return ExportedSessionCodec.Decode(encoded.Span);
        }
    }

    private static byte[] Seal(DataPhase phase, int length) => TestClient.Seal(phase.Writer, ContentType.ApplicationData, TestSessions.Bytes(length, 7));

    private static void Read(DataPhase phase, byte[] record) => ReadAny(phase, record);

    private static int ReadAny(DataPhase phase, byte[] record)
    {
        phase.Read(record, new byte[record.Length], out var written);
        return written;
    }

    private static byte[] ReadData(DataPhase phase, byte[] record)
    {
        var plaintext = new byte[record.Length];
        Assert.Equal(ReadStatus.ApplicationData, phase.Read(record, plaintext, out var written));
        return plaintext[..written];
    }
}
