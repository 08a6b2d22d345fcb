using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Handshake.OpenSsl;
using Xunit;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>.NET's own client, asynchronously over a stream in memory.</summary>
public sealed class SslStreamTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData(SslProtocols.Tls13, TlsVersion.Tls13)]
    [InlineData(SslProtocols.Tls12, TlsVersion.Tls12)]
    public async Task Client_gets_back_what_it_sends(SslProtocols protocols, TlsVersion version)
    {
        using var factory = new OpenSslServerHandshakeFactory(certificates.Both, new HandshakeOptions());
        var (clientEnd, serverEnd) = MemoryDuplex.Create();
        var serving = EchoServer.ServeAsync(serverEnd, factory);
        using var client = new SslStream(clientEnd);
        await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2],
            CertificateChainPolicy = certificates.ChainPolicy,
        });

        var sent = RandomNumberGenerator.GetBytes(100_000);
        var received = new byte[sent.Length];
        await Task.WhenAll(client.WriteAsync(sent).AsTask(), client.ReadExactlyAsync(received).AsTask());
        await client.ShutdownAsync();
        var session = await serving;

        Assert.Equal(sent, received);
        Assert.Equal(version, session.Version);
        Assert.Equal((int)client.NegotiatedCipherSuite, (int)session.CipherSuite);
        Assert.Equal("h2", session.ApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http2, client.NegotiatedApplicationProtocol);
    }
}
