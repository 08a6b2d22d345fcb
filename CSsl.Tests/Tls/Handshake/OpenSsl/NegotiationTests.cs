using System.Security.Cryptography.X509Certificates;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>What comes out when client and server have a choice.</summary>
public sealed class NegotiationTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData(TlsVersion.Tls13, CipherSuite.Aes128GcmSha256)]
    [InlineData(TlsVersion.Tls12, CipherSuite.EcdheEcdsaAes128GcmSha256)]
    public void Server_prefers_its_first_suite(TlsVersion version, CipherSuite expected)
    {
        using var connection = Establish(new ClientSettings { Version = (ushort)version });
        Assert.Equal(expected, connection.Session.CipherSuite);
        Assert.Equal(expected, connection.Client.Suite);
    }

    [Fact]
    public void Client_whose_first_choice_is_chacha_gets_it()
    {
        using var connection = Establish(new ClientSettings
        {
            Version = (ushort)TlsVersion.Tls12,
            CipherList = "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256",
        });
        Assert.Equal(CipherSuite.EcdheRsaChaCha20Poly1305, connection.Session.CipherSuite);
    }

    [Fact]
    public void Only_configured_suites_are_negotiated()
    {
        var options = new HandshakeOptions
        {
            MaxVersion = TlsVersion.Tls12,
            CipherSuites = [CipherSuite.EcdheRsaAes256CbcSha384, CipherSuite.EcdheRsaAes128GcmSha256],
        };
        using var connection = Establish(new ClientSettings { Version = (ushort)TlsVersion.Tls12 }, options);
        Assert.Equal(CipherSuite.EcdheRsaAes256CbcSha384, connection.Session.CipherSuite);
        Assert.Throws<HandshakeFailedException>(() => Establish(new ClientSettings(), options));
    }

    [Theory]
    [InlineData(new[] { "http/1.1", "h2" }, "h2")]
    [InlineData(new[] { "spdy/3", "http/1.1" }, "http/1.1")]
    [InlineData(new string[0], null)]
    public void Protocol_is_the_servers_preference_of_what_the_client_offers(string[] offered, string? expected)
    {
        using var connection = Establish(new ClientSettings { ApplicationProtocols = offered });
        Assert.Equal(expected, connection.Session.ApplicationProtocol);
        Assert.Equal(expected, connection.Client.ApplicationProtocol);
    }

    [Fact]
    public void Protocols_are_configurable()
    {
        var options = new HandshakeOptions { ApplicationProtocols = ["acme/1"] };
        using var connection = Establish(new ClientSettings { ApplicationProtocols = ["h2", "acme/1"] }, options);
        Assert.Equal("acme/1", connection.Session.ApplicationProtocol);
    }

    [Fact]
    public void Protocols_are_ignored_when_none_is_configured()
    {
        var options = new HandshakeOptions { ApplicationProtocols = [] };
        using var connection = Establish(new ClientSettings { ApplicationProtocols = ["h2"] }, options);
        Assert.Null(connection.Session.ApplicationProtocol);
        Assert.Null(connection.Client.ApplicationProtocol);
    }

    [Theory]
    [InlineData("ECDSA+SHA256", "EC")]
    [InlineData("RSA-PSS+SHA256", "RSA")]
    public void Certificate_is_of_the_type_that_the_client_can_check(string signatures, string algorithm)
    {
        using var connection = Establish(new ClientSettings { SignatureAlgorithms = signatures });
        using var certificate = X509CertificateLoader.LoadCertificate(connection.Client.ServerCertificate);
        Assert.Equal(algorithm == "EC", certificate.GetECDsaPublicKey() is not null);
        Assert.Equal(algorithm == "RSA", certificate.GetRSAPublicKey() is not null);
    }

    [Theory]
    [InlineData("a.example", "CN=a.example")]
    [InlineData("www.b.example", "CN=*.b.example")]
    [InlineData("unknown.example", "CN=a.example")]
    [InlineData(null, "CN=a.example")]
    public void Certificate_is_chosen_by_server_name(string? serverName, string subject)
    {
        var source = new CertificateSource(
        [
            new CertificateEntry(["a.example"], certificates.IssueEcdsa("a.example")),
            new CertificateEntry(["*.b.example"], certificates.IssueEcdsa("*.b.example")),
        ]);
        using var factory = new OpenSslServerHandshakeFactory(source, new HandshakeOptions());

        using var connection = TestConnection.Establish(factory, new ClientSettings { ServerName = serverName }, certificates.AuthorityPath);

        using var certificate = X509CertificateLoader.LoadCertificate(connection.Client.ServerCertificate);
        Assert.Equal(subject, certificate.Subject);
        Assert.Equal(serverName, connection.Session.ServerName);
    }

    [Theory]
    [InlineData(true, "X25519MLKEM768", "X25519", "P-256", "P-384")]
    [InlineData(false, "X25519", "P-256", "P-384")]
    public void Hybrid_group_comes_first_where_it_is_known(bool isKnown, params string[] expected)
        => Assert.Equal(expected, OpenSslContext.Known(new HandshakeOptions().Groups, name => name != "X25519MLKEM768" || isKnown));

    [Fact]
    public void Hybrid_group_is_agreed_on_where_both_know_it()
    {
        // Known from OpenSSL 3.5 on; before that the very same options lead to the next group.
        var isKnown = OpenSslClient.Knows("X25519MLKEM768");
        var groups = isKnown ? "X25519MLKEM768:X25519" : "X25519";
        Assert.Equal(isKnown ? NamedGroup.X25519MLKEM768 : NamedGroup.X25519, GroupOf(new ClientSettings { Groups = groups }));
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, "X25519", NamedGroup.X25519)]
    [InlineData(TlsVersion.Tls13, "P-256", NamedGroup.Secp256r1)]
    [InlineData(TlsVersion.Tls13, "P-521:P-384", NamedGroup.Secp384r1)]
    [InlineData(TlsVersion.Tls12, "X25519", NamedGroup.X25519)]
    [InlineData(TlsVersion.Tls12, "P-384", NamedGroup.Secp384r1)]
    public void Group_is_told(TlsVersion version, string groups, NamedGroup expected)
        => Assert.Equal(expected, GroupOf(new ClientSettings { Version = (ushort)version, Groups = groups }));

    [Theory]
    [InlineData(TlsVersion.Tls13, NamedGroup.X25519)]
    [InlineData(TlsVersion.Tls12, null)]
    public void Group_of_a_resumed_session_is_that_of_its_own_exchange(TlsVersion version, NamedGroup? expected)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
        var settings = new ClientSettings { Version = (ushort)version, Groups = "P-256" };
        using var first = TestConnection.Establish(factory, settings, certificates.AuthorityPath);
        using (var data = first.StartData())
            Assert.Equal("x"u8, first.ToClient(data, "x"u8));
        using var session = first.Client.TakeSession();

        using var second = TestConnection.Establish(factory, settings with { Resume = session, Groups = "X25519" }, certificates.AuthorityPath);

        Assert.True(second.Session.Resumed);
        Assert.Equal(expected, second.Group);
    }

    [Fact]
    public void Creation_time_is_the_clocks()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2031, 2, 3, 4, 5, 6, TimeSpan.Zero));
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions(), clock);
        using var connection = TestConnection.Establish(factory, new ClientSettings(), certificates.AuthorityPath);
        Assert.Equal(clock.GetUtcNow(), connection.Session.CreatedAt);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public void Client_certificate_is_exported_also_after_resumption(TlsVersion version)
    {
        var options = new HandshakeOptions { ClientAuthoritiesPath = certificates.AuthorityPath, RequireClientCertificate = true };
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, options);
        var own = certificates.IssueEcdsa("client.example");
        var settings = new ClientSettings { Version = (ushort)version, Certificate = own };
        using var expected = X509Certificate2.CreateFromPem(File.ReadAllText(own.CertificatePath));

        using var first = TestConnection.Establish(factory, settings, certificates.AuthorityPath);
        Assert.Equal(expected.RawData, first.Session.PeerCertificate);

        using var data = first.StartData();
        Assert.Equal("x"u8, first.ToClient(data, "x"u8));
        using var session = first.Client.TakeSession();
        using var second = TestConnection.Establish(factory, settings with { Resume = session, Certificate = null }, certificates.AuthorityPath);
        Assert.True(second.Session.Resumed);
        Assert.Equal(expected.RawData, second.Session.PeerCertificate);
    }

    [Fact]
    public void Client_certificate_of_another_authority_is_refused()
    {
        using var others = new TestCertificates();
        var options = new HandshakeOptions { ClientAuthoritiesPath = certificates.AuthorityPath };
        var failure = Assert.Throws<HandshakeFailedException>(
            () => Establish(new ClientSettings { Certificate = others.Ecdsa }, options));
        Assert.Contains("certificate verify failed", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Client_without_a_certificate_is_refused_only_when_one_is_required(bool required)
    {
        var options = new HandshakeOptions { ClientAuthoritiesPath = certificates.AuthorityPath, RequireClientCertificate = required };
        if (required)
        {
            Assert.Contains(
                "peer did not return a certificate",
                Assert.Throws<HandshakeFailedException>(() => Establish(new ClientSettings(), options)).Message,
                StringComparison.Ordinal);
        }
        else
        {
            using var connection = Establish(new ClientSettings(), options);
            Assert.Empty(connection.Session.PeerCertificate);
        }
    }

    private NamedGroup? GroupOf(ClientSettings settings)
    {
        using var connection = Establish(settings);
        return connection.Group;
    }

    private TestConnection Establish(ClientSettings settings, HandshakeOptions? options = null)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, options ?? new HandshakeOptions());
        return TestConnection.Establish(factory, settings, certificates.AuthorityPath);
    }
}
