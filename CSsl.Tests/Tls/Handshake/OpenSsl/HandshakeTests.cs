using System.Net.Security;
using System.Security.Authentication;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

public sealed class HandshakeTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData(SslProtocols.Tls13, TlsVersion.Tls13)]
    [InlineData(SslProtocols.Tls12, TlsVersion.Tls12)]
    public async Task Handshake_completes_and_exports(SslProtocols protocols, TlsVersion version)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions(), new byte[80]);
        var (clientEnd, serverEnd) = MemoryDuplex.Create();
        using var client = new SslStream(clientEnd);
        var connecting = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2],
            CertificateChainPolicy = certificates.ChainPolicy,
        });

        using ExportedSession session = await new ServerDriver(serverEnd).HandshakeAsync(factory);
        await connecting;

        Assert.Equal(version, session.Version);
        Assert.Equal((int)client.NegotiatedCipherSuite, (int)session.CipherSuite);
        Assert.Equal("h2", session.ApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http2, client.NegotiatedApplicationProtocol);
        Assert.False(session.Resumed);
        Assert.Equal(version == TlsVersion.Tls13 ? (0u, 2u) : (1u, 1u), (session.ClientSequence, session.ServerSequence));
    }
}
