using System.Buffers.Binary;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>What the server refuses, and how it says so.</summary>
public sealed class RefusalTests : IClassFixture<TestCertificates>, IDisposable
{
    private readonly TestCertificates _certificates;
    private readonly OpenSslServerHandshakeFactory _factory;

    public RefusalTests(TestCertificates certificates)
    {
        _certificates = certificates;
        _factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
    }

    [Fact]
    public void Client_without_a_common_version_gets_protocol_version()
        => AssertRefused(new ClientSettings { Version = 0x0302, CipherList = "ALL:@SECLEVEL=0" }, AlertDescription.ProtocolVersion, "unsupported protocol");

    [Theory]
    [InlineData("AES128-SHA")]
    [InlineData("AES256-GCM-SHA384")]
    [InlineData("ECDHE-RSA-AES128-SHA")]
    [InlineData("DHE-RSA-AES256-GCM-SHA384")]
    public void Client_without_a_common_suite_gets_handshake_failure(string suites)
        => AssertRefused(new ClientSettings { Version = 0x0303, CipherList = suites }, AlertDescription.HandshakeFailure, "no shared cipher");

    [Fact]
    public void Client_without_a_common_group_gets_handshake_failure()
        => AssertRefused(new ClientSettings { Groups = "P-521" }, AlertDescription.HandshakeFailure, "no suitable key share");

    [Theory]
    [MemberData(nameof(Misfits))]
    public void Client_that_does_not_fit_is_refused_for_what_does_not(string settings, HandshakeFailure expected)
    {
        using var factory = new OpenSslServerHandshakeFactory(TestCertificates.Only(_certificates.Rsa), new HandshakeOptions());
        using var client = new OpenSslClient(Settings[settings], _certificates.AuthorityPath);
        using var handshake = factory.Create(new ClientHello());

        var (step, _) = TestConnection.Advance(handshake, client.Handshake([]));

        Assert.Equal((HandshakeStatus.Failed, expected), (step.Status, step.Failure));
        Assert.NotEmpty(step.Error!);
    }

    private static readonly Dictionary<string, ClientSettings> Settings = new()
    {
        ["TLS 1.1"] = new() { Version = 0x0302, CipherList = "ALL:@SECLEVEL=0" },
        ["TLS 1.2, RSA key exchange"] = new() { Version = 0x0303, CipherList = "AES128-SHA" },
        ["TLS 1.2, a suite of ECDSA"] = new() { Version = 0x0303, CipherList = "ECDHE-ECDSA-AES128-GCM-SHA256" },
        ["TLS 1.2, signatures of ECDSA"] = new() { Version = 0x0303, SignatureAlgorithms = "ecdsa_secp256r1_sha256" },
        ["TLS 1.2, P-521"] = new() { Version = 0x0303, Groups = "P-521" },
        ["TLS 1.2, another protocol"] = new() { Version = 0x0303, ApplicationProtocols = ["spdy/3"] },
        ["TLS 1.3, P-521"] = new() { Groups = "P-521" },
        ["TLS 1.3, signatures of ECDSA"] = new() { SignatureAlgorithms = "ecdsa_secp256r1_sha256" },
        ["TLS 1.3, another protocol"] = new() { ApplicationProtocols = ["spdy/3"] },
    };

    public static TheoryData<string, HandshakeFailure> Misfits => new()
    {
        { "TLS 1.1", HandshakeFailure.NoSharedVersion },
        { "TLS 1.2, RSA key exchange", HandshakeFailure.NoSharedCipherSuite },
        { "TLS 1.2, a suite of ECDSA", HandshakeFailure.NoSharedCertificate },
        { "TLS 1.2, signatures of ECDSA", HandshakeFailure.NoSharedCertificate },
        { "TLS 1.2, P-521", HandshakeFailure.NoSharedGroup },
        { "TLS 1.2, another protocol", HandshakeFailure.NoSharedProtocol },
        { "TLS 1.3, P-521", HandshakeFailure.NoSharedGroup },
        { "TLS 1.3, signatures of ECDSA", HandshakeFailure.NoSharedCertificate },
        { "TLS 1.3, another protocol", HandshakeFailure.NoSharedProtocol },
    };

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Client_without_a_common_protocol_gets_no_application_protocol(TlsVersion version)
        => AssertRefused(
            new ClientSettings { Version = (ushort)version, ApplicationProtocols = ["spdy/3", "http/1.0"] },
            AlertDescription.NoApplicationProtocol,
            "no application protocol");

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Record_above_the_limit_gets_record_overflow(TlsVersion version)
    {
        using var client = new OpenSslClient(new ClientSettings { Version = (ushort)version }, _certificates.AuthorityPath);
        using var handshake = _factory.Create(new ClientHello());
        var record = new byte[RecordHeader.Size + 0xFFFF];
        ((ReadOnlySpan<byte>)[22, 3, 1, 0xFF, 0xFF]).CopyTo(record);

        var (step, output) = TestConnection.Advance(handshake, record);

        Assert.Equal(HandshakeStatus.Failed, step.Status);
        Assert.Equal(HandshakeFailure.Malformed, step.Failure);
        Assert.Equal(AlertDescription.RecordOverflow, PlaintextAlert(output));
    }

    [Fact]
    public void Record_above_the_limit_is_refused_before_it_is_whole()
    {
        using var handshake = _factory.Create(new ClientHello());
        var (step, _) = TestConnection.Advance(handshake, [22, 3, 1, 0xFF, 0xFF]);
        Assert.Equal(HandshakeStatus.Failed, step.Status);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 0)]
    [InlineData("\u0016\u0003\u0001\u0000\u0004\u0002\u0000\u0000\u0000", 10)]
    [InlineData("\u0017\u0003\u0003\u0000\u0001a", 10)]
    public void First_record_that_is_no_hello_is_refused(string input, byte alert)
    {
        using var handshake = _factory.Create(new ClientHello());
        byte[] bytes = [.. input.Select(static c => (byte)c)];
        BinaryPrimitives.TryWriteUInt16BigEndian(bytes.AsSpan(3), (ushort)(bytes.Length - RecordHeader.Size));

        var (step, output) = TestConnection.Advance(handshake, bytes);

        Assert.Equal(HandshakeStatus.Failed, step.Status);
        Assert.NotEmpty(step.Error!);
        if (alert != 0)
            Assert.Equal((AlertDescription)alert, PlaintextAlert(output));
    }

    [Fact]
    public void Finished_that_was_tampered_with_is_refused_with_an_alert_that_the_client_can_read()
    {
        using var client = new OpenSslClient(new ClientSettings(), _certificates.AuthorityPath);
        using var handshake = _factory.Create(new ClientHello());
        var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        var finished = client.Handshake(flight);
        finished[^1] ^= 1;

        var (step, alert) = TestConnection.Advance(handshake, finished);

        Assert.Equal(HandshakeStatus.Failed, step.Status);
        Assert.Equal(HandshakeFailure.BadRecord, step.Failure);
        Assert.Contains("bad record mac", step.Error, StringComparison.Ordinal);
        Assert.Contains("bad record mac", Assert.Throws<InvalidOperationException>(() => client.Read(alert)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Failure_stays()
    {
        using var handshake = _factory.Create(new ClientHello());
        var (first, _) = TestConnection.Advance(handshake, [22, 3, 1, 0, 1, 0, 0]);
        var (second, _) = TestConnection.Advance(handshake, [23, 3, 1, 0, 1, 0]);

        var (third, output) = TestConnection.Advance(handshake, [22, 3, 1, 0, 1, 0]);

        Assert.Equal(HandshakeStatus.NeedMore, first.Status);
        Assert.Equal(6, first.Consumed);
        Assert.Equal(HandshakeStatus.Failed, second.Status);
        Assert.Equal(second with { Consumed = 0, Written = 0 }, third);
        Assert.Empty(output);
        Assert.Throws<InvalidOperationException>(handshake.Export);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Client_that_gives_up_is_named_in_the_error(TlsVersion version)
    {
        using var others = new TestCertificates();
        using var client = new OpenSslClient(new ClientSettings { Version = (ushort)version }, others.AuthorityPath);
        using var handshake = _factory.Create(new ClientHello());
        var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        Assert.Throws<InvalidOperationException>(() => client.Handshake(flight));

        var (step, output) = TestConnection.Advance(handshake, client.TakeOutput());

        Assert.Equal(HandshakeStatus.Failed, step.Status);
        Assert.Equal(HandshakeFailure.ClientAlert, step.Failure);
        Assert.Contains("alert unknown ca", step.Error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public void Export_is_refused_before_the_end_and_the_second_time()
    {
        using var client = new OpenSslClient(new ClientSettings(), _certificates.AuthorityPath);
        using var handshake = _factory.Create(new ClientHello());
        var (_, flight) = TestConnection.Advance(handshake, client.Handshake([]));
        Assert.Throws<InvalidOperationException>(handshake.Export);

        TestConnection.Advance(handshake, client.Handshake(flight));
        handshake.Export().Dispose();

        Assert.Throws<InvalidOperationException>(handshake.Export);
    }

    public void Dispose() => _factory.Dispose();

    private static AlertDescription PlaintextAlert(ReadOnlySpan<byte> output)
    {
        Assert.Equal(RecordHeader.Size + 2, output.Length);
        Assert.Equal((byte)ContentType.Alert, output[0]);
        Assert.Equal((byte)AlertLevel.Fatal, output[RecordHeader.Size]);
        return (AlertDescription)output[RecordHeader.Size + 1];
    }

    private void AssertRefused(ClientSettings settings, AlertDescription alert, string error)
    {
        var failure = Assert.Throws<HandshakeFailedException>(
            () => TestConnection.Establish(_factory, settings, _certificates.AuthorityPath));
        Assert.Contains(error, failure.Message, StringComparison.Ordinal);
        Assert.Equal(alert, PlaintextAlert(failure.LastFlight));
    }
}
