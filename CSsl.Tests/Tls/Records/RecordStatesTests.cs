using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Records;

public sealed class RecordStatesTests
{
    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Records_round_trip_in_both_directions(CipherSuite suite, bool encryptThenMac)
    {
        using var server = new Pair(suite, encryptThenMac);
        foreach (var length in (int[])[0, 1, 15, 16, 17, 255, 256, 1000, RecordHeader.MaxPlaintext - 1, RecordHeader.MaxPlaintext, 3])
        {
            var content = TestSessions.Bytes(length, length);
            var down = server.Client.Open(TestClient.Seal(server.Writer, ContentType.ApplicationData, content));
            var up = TestClient.Open(server.Reader, server.Client.Seal(ContentType.ApplicationData, content));

            Assert.Equal(ContentType.ApplicationData, down.Type);
            Assert.Equal(content, down.Content);
            Assert.Equal(ContentType.ApplicationData, up.Type);
            Assert.Equal(content, up.Content);
        }
    }

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Record_with_any_bit_of_its_fragment_changed_is_refused(CipherSuite suite, bool encryptThenMac)
    {
        byte[] record;
        using (var pair = new Pair(suite, encryptThenMac))
            record = pair.Client.SealData(40);

        for (var bit = RecordHeader.Size * 8; bit < record.Length * 8; bit++)
        {
            using var pair = new Pair(suite, encryptThenMac);
            record[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(AlertDescription.BadRecordMac, Refusal(pair.Reader, record));
            record[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Header_is_authenticated(CipherSuite suite, bool encryptThenMac)
    {
        using var pair = new Pair(suite, encryptThenMac);
        var record = pair.Client.SealData(40);

        byte[] otherVersion = [record[0], 3, 1, .. record[3..]];
        Assert.Equal(AlertDescription.BadRecordMac, Refusal(pair.Reader, otherVersion));

        using var another = new Pair(suite, encryptThenMac);
        byte[] otherType = [(byte)ContentType.Handshake, .. record[1..]];
        var tls13 = CipherSuiteInfo.Get(suite).Version == TlsVersion.Tls13;
        Assert.Equal(tls13 ? AlertDescription.UnexpectedMessage : AlertDescription.BadRecordMac, Refusal(another.Reader, otherType));
    }

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Record_is_refused_when_it_comes_twice_or_out_of_order(CipherSuite suite, bool encryptThenMac)
    {
        using (var pair = new Pair(suite, encryptThenMac))
        {
            var record = pair.Client.SealData(10);
            TestClient.Open(pair.Reader, record);
            Assert.Equal(AlertDescription.BadRecordMac, Refusal(pair.Reader, record));
        }

        using (var pair = new Pair(suite, encryptThenMac))
        {
            pair.Client.SealData(10);
            Assert.Equal(AlertDescription.BadRecordMac, Refusal(pair.Reader, pair.Client.SealData(10)));
        }
    }

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Record_of_every_length_that_holds_nothing_authentic_is_refused(CipherSuite suite, bool encryptThenMac)
    {
        for (var length = 0; length < 150; length++)
        {
            using var pair = new Pair(suite, encryptThenMac);
            byte[] record = [23, 3, 3, 0, (byte)length, .. TestSessions.Bytes(length, length)];
            Assert.Equal(AlertDescription.BadRecordMac, Refusal(pair.Reader, record));
        }
    }

    [Theory]
    [MemberData(nameof(TestSessions.All), MemberType = typeof(TestSessions))]
    public void Plaintext_above_2_to_the_14_overflows(CipherSuite suite, bool encryptThenMac)
    {
        using var pair = new Pair(suite, encryptThenMac);
        var record = TestClient.SealUnlimited(suite, encryptThenMac, ContentType.ApplicationData, new byte[RecordHeader.MaxPlaintext + 1]);

        Assert.Equal(AlertDescription.RecordOverflow, Refusal(pair.Reader, record));
    }

    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256, RecordHeader.MaxCiphertext13)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256, RecordHeader.MaxCiphertext12)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384, RecordHeader.MaxCiphertext12)]
    public void Ciphertext_above_the_limit_of_the_version_overflows(CipherSuite suite, int limit)
    {
        using var pair = new Pair(suite, encryptThenMac: false);
        var record = new byte[RecordHeader.Size + limit + 1];
        new RecordHeader(ContentType.ApplicationData, 0x0303, limit + 1).Write(record);

        Assert.Equal(AlertDescription.RecordOverflow, Refusal(pair.Reader, record));
    }

    [Theory]
    [InlineData(new byte[] { 99, 3, 3, 0, 1, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 20, 3, 3, 0, 1, 1 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 22, 3, 3, 0, 0 }, AlertDescription.UnexpectedMessage)]
    [InlineData(new byte[] { 23, 2, 3, 0, 1, 0 }, AlertDescription.ProtocolVersion)]
    public void Header_that_breaks_a_rule_is_refused_in_either_version(byte[] record, AlertDescription expected)
    {
        foreach (var suite in (CipherSuite[])[CipherSuite.Aes128GcmSha256, CipherSuite.EcdheRsaAes128GcmSha256])
        {
            using var pair = new Pair(suite, encryptThenMac: false);
            Assert.Equal(expected, Refusal(pair.Reader, record));
        }
    }

    [Fact]
    public void First_fatal_error_sticks()
    {
        using var pair = new Pair(CipherSuite.Aes128GcmSha256, encryptThenMac: false);
        var good = pair.Client.SealData(10);
        var bad = good.ToArray();
        bad[^1] ^= 1;

        var first = Assert.Throws<TlsException>(() => pair.Reader.Open(bad, new byte[100]));
        var second = Assert.Throws<TlsException>(() => pair.Reader.Open(good, new byte[100]));
        Assert.Equal(first.Alert, second.Alert);
        Assert.Equal(0UL, pair.Reader.Sequence);
    }

    [Fact]
    public void Misuse_is_no_error_of_the_peer_and_does_not_stick()
    {
        using var pair = new Pair(CipherSuite.Aes128GcmSha256, encryptThenMac: false);
        var record = pair.Client.SealData(10);

        Assert.Throws<ArgumentException>(() => pair.Reader.Open(record.AsSpan(0, 10), new byte[100]));
        Assert.Throws<ArgumentException>(() => pair.Reader.Open(record.AsSpan(0, 3), new byte[100]));
        Assert.Throws<ArgumentException>(() => pair.Reader.Open([.. record, 0], new byte[100]));
        Assert.Throws<ArgumentException>(() => pair.Reader.Open(record, new byte[record.Length - 1]));
        Assert.Equal(10, pair.Reader.Open(record, new byte[100]).Length);

        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Writer.Seal(ContentType.ApplicationData, new byte[20_000], RecordHeader.MaxPlaintext + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Writer.Seal(ContentType.ApplicationData, new byte[20_000], -1));
        Assert.Throws<ArgumentException>(() => pair.Writer.Seal(ContentType.ApplicationData, new byte[pair.Writer.SealedLength(100) - 1], 100));
    }

    [Fact]
    public void Fragment_limit_of_the_session_bounds_what_is_sealed()
    {
        using var session = TestSessions.Create(CipherSuite.EcdheRsaAes256GcmSha384, fragmentLimit: 512);
        var (reader, writer) = RecordStates.Create(session, TlsEndpoint.Server);
        using (reader)
        using (writer)
        {
            Assert.Equal(512, writer.MaxPlaintext);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Seal(ContentType.ApplicationData, new byte[1000], 513));
            Assert.Equal(5 + 8 + 512 + 16, writer.Seal(ContentType.ApplicationData, new byte[1000], 512));
        }
    }

    [Fact]
    public void Session_that_contradicts_itself_is_refused()
    {
        using var limit = TestSessions.Create(CipherSuite.Aes128GcmSha256, fragmentLimit: (1 << 14) + 1);
        Assert.Throws<ArgumentException>(() => RecordStates.Create(limit, TlsEndpoint.Server));

        using var secret = new ExportedSession
        {
            Version = TlsVersion.Tls13,
            CipherSuite = CipherSuite.Aes256GcmSha384,
            ClientSecret = new SecretBytes(32),
            ServerSecret = new SecretBytes(48),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.Throws<ArgumentException>(() => RecordStates.Create(secret, TlsEndpoint.Server));

        using var version = new ExportedSession
        {
            Version = TlsVersion.Tls12,
            CipherSuite = CipherSuite.Aes128GcmSha256,
            ClientSecret = new SecretBytes(48),
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        Assert.Throws<ArgumentException>(() => RecordStates.Create(version, TlsEndpoint.Server));
    }

    [Theory]
    [MemberData(nameof(TestSessions.Aead), MemberType = typeof(TestSessions))]
    public void Aead_records_are_sealed_and_opened_without_allocation(CipherSuite suite)
    {
        using var pair = new Pair(suite, encryptThenMac: false);
        var record = new byte[pair.Writer.SealedLength(1000)];
        var plaintext = new byte[record.Length];

        Allocations.AssertNone(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                pair.Writer.Seal(ContentType.ApplicationData, record, 1000);
                pair.Client.Reader.Open(record, plaintext);
            }
        });
    }

    private static AlertDescription Refusal(RecordReadState reader, byte[] record)
        => Assert.Throws<TlsException>(() => reader.Open(record, new byte[record.Length])).Alert;

    /// <summary>The server's two states and a client.</summary>
    private sealed class Pair : IDisposable
    {
        public Pair(CipherSuite suite, bool encryptThenMac)
        {
            using var session = TestSessions.Create(suite, encryptThenMac);
            (Reader, Writer) = RecordStates.Create(session, TlsEndpoint.Server);
            Client = new TestClient(TestSessions.Create(suite, encryptThenMac));
        }

        public RecordReadState Reader { get; }
        public RecordWriteState Writer { get; }
        public TestClient Client { get; }

        public void Dispose()
        {
            Reader.Dispose();
            Writer.Dispose();
            Client.Dispose();
        }
    }
}
