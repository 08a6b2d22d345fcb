using System.Buffers;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>However a client cuts its handshake into records, its data phase begins where the handshake ended.</summary>
public sealed class ShreddedHandshakeTests : IClassFixture<TestCertificates>, IDisposable
{
    private static readonly byte[] UserCanceled = [1, 90];

    private static readonly Gen<int> AnyLength = Gen.OneOf(Gen.Choose(1, 20), Gen.Choose(1, 300), Gen.Choose(1, 1 << 14));

    private readonly TestCertificates _certificates;
    private readonly OpenSslServerHandshakeFactory _factory;

    public ShreddedHandshakeTests(TestCertificates certificates)
    {
        _certificates = certificates;
        _factory = new OpenSslServerHandshakeFactory(
            certificates.Both, new HandshakeOptions { ClientAuthoritiesPath = certificates.AuthorityPath });
    }

    [Theory]
    [MemberData(nameof(HandoverTests.Suites), MemberType = typeof(HandoverTests))]
    public void Data_phase_goes_on_after_records_of_any_length(CipherSuite suite, string? signatures, bool encryptThenMac)
    {
        var settings = new ClientSettings
        {
            Version = (ushort)CipherSuiteInfo.Get(suite).Version,
            Suite = suite,
            SignatureAlgorithms = signatures,
            EncryptThenMac = encryptThenMac,
        };
        using var session = Talk(settings, 1, 16_384).Session;
        Prop.ForAll(AnyLength.ToArbitrary(), AnyLength.ToArbitrary(), (least, most) =>
        {
            Talk(settings, least, most).Session.Dispose();
            var (resumed, next) = Talk(settings with { Resume = session }, least, most);
            next.Dispose();
            Assert.True(resumed);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(12));
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Data_phase_goes_on_after_a_client_certificate_in_records_of_any_length(TlsVersion version)
    {
        var settings = new ClientSettings { Version = (ushort)version, Certificate = _certificates.IssueEcdsa("client.example") };
        Prop.ForAll(AnyLength.ToArbitrary(), AnyLength.ToArbitrary(), (least, most) => Talk(settings, least, most).Session.Dispose())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(12));
    }

    [Theory]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    [InlineData(CipherSuite.EcdheRsaChaCha20Poly1305)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    public void Empty_fragments_count(CipherSuite suite)
    {
        using var client = new ShreddedClient(new ClientSettings { Version = (ushort)TlsVersion.Tls12, Suite = suite }, _certificates.AuthorityPath, static () => 4)
        {
            Between = (ContentType.Handshake, []),
        };
        Assert.Equal(HandshakeStatus.Complete, Shake(client).Status);
        Assert.Equal(4UL + 3 + 2, client.Sequence); // pieces of Finished, empty fragments, and what the two said
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Warning_between_two_pieces_counts_or_ends_the_handshake(TlsVersion version)
    {
        // OpenSSL 3.0 takes it in TLS 1.3, and in TLS 1.2 nothing but Finished after ChangeCipherSpec; both are legal.
        using var client = new ShreddedClient(new ClientSettings { Version = (ushort)version }, _certificates.AuthorityPath, static () => 8)
        {
            Between = (ContentType.Alert, UserCanceled),
        };
        Assert.Contains(Shake(client).Status, (HandshakeStatus[])[HandshakeStatus.Complete, HandshakeStatus.Failed]);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void More_than_finished_in_its_record_is_refused_and_not_lost(TlsVersion version)
    {
        using var client = new ShreddedClient(new ClientSettings { Version = (ushort)version }, _certificates.AuthorityPath, static () => 1 << 14)
        {
            Behind = [1, 0, 0, 40, .. new byte[40]],
        };
        Assert.Equal(HandshakeStatus.Failed, Shake(client).Status);
    }

    public void Dispose() => _factory.Dispose();

    /// <summary>Shakes hands, and talks in both directions.</summary>
    private (bool Resumed, ClientSession Session) Talk(ClientSettings settings, int oneLength, int otherLength)
    {
        var lengths = new Random(oneLength);
        using var client = new ShreddedClient(
            settings, _certificates.AuthorityPath, () => lengths.Next(Math.Min(oneLength, otherLength), Math.Max(oneLength, otherLength) + 1));
        Assert.Equal(HandshakeStatus.Complete, Shake(client).Status);
        return (client.Client.Resumed, client.Client.TakeSession());
    }

    /// <summary>Shakes hands to the end; when that is no failure, the two talk.</summary>
    private HandshakeStep Shake(ShreddedClient client)
    {
        var flight = client.Handshake([]);
        Assert.Equal(ClientHelloStatus.Complete, ClientHello.Peek(new ReadOnlySequence<byte>(flight), 1 << 16, out var hello, out _));
        using var handshake = _factory.Create(hello!);
        while (true)
        {
            var (step, answer) = TestConnection.Advance(handshake, flight);
            if (step.Status == HandshakeStatus.Failed)
                return step;
            Assert.Equal(flight.Length, step.Consumed);
            if (step.Status == HandshakeStatus.NeedMore)
            {
                Assert.False(client.IsConnected, "The server waits, and so does the client.");
                flight = client.Handshake(answer);
                continue;
            }

            Assert.Empty(client.Handshake(answer));
            Assert.True(client.IsConnected);
            using var session = handshake.Export();
            Assert.Equal(client.Sequence, session.ClientSequence);
            using var data = new DataPhase(session);
            Talk(client, data);
            return step;
        }
    }

    private static void Talk(ShreddedClient client, DataPhase data)
    {
        Assert.Equal("hello"u8, TestConnection.Open(data, client.Write("hello"u8)));
        Assert.Equal("again"u8, TestConnection.Open(data, client.Write("again"u8)));
        var record = new byte[100];
        "world"u8.CopyTo(record.AsSpan(data.Writer.PrefixLength));
        Assert.Equal("world"u8, client.Read(record.AsSpan(0, data.Writer.Seal(ContentType.ApplicationData, record, 5))));
    }
}
