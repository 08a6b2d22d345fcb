using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CSsl.Tls;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace CSsl.Silo.Transport;

/// <summary>What a connection's handshake agreed on, as ASP.NET Core asks for it. Its presence is what makes the scheme https.</summary>
internal sealed class TlsFeatures : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature, IDecryptedConnectionFeature
{
    private static readonly byte[] Http2 = Encoding.ASCII.GetBytes("h2");
    private static readonly byte[] Http11 = Encoding.ASCII.GetBytes("http/1.1");

    private readonly TlsVersion _version;
    private readonly CipherSuite _suite;
    private readonly bool _resumed;
    private X509Certificate2? _clientCertificate;
    private byte[] _clientCertificateDer;
    private string? _description;

    /// <param name="session">Read, not kept: its secrets go elsewhere.</param>
    /// <param name="sessionId">The session's id in the cluster.</param>
    /// <param name="siloName">This silo.</param>
    public TlsFeatures(ExportedSession session, Guid sessionId, string siloName)
    {
        SessionId = sessionId;
        SiloName = siloName;
        _version = session.Version;
        _suite = session.CipherSuite;
        _resumed = session.Resumed;
        HostName = session.ServerName ?? "";
        _clientCertificateDer = session.PeerCertificate;
        ApplicationProtocol = session.ApplicationProtocol switch
        {
            "h2" => Http2,
            "http/1.1" => Http11,
            null => default,
            var other => Encoding.ASCII.GetBytes(other),
        };
    }

    /// <summary>ALPN chose HTTP/2.</summary>
    public bool IsHttp2 => ApplicationProtocol.Span.SequenceEqual(Http2);

    public Guid SessionId { get; }

    public string SiloName { get; }

    public string TlsDescription => _description ??=
        $"{(_version == TlsVersion.Tls13 ? "TLSv1.3" : "TLSv1.2")} {(TlsCipherSuite)_suite}{(_resumed ? " resumed" : "")}";

    public ReadOnlyMemory<byte> ApplicationProtocol { get; }

    public string HostName { get; }

    public SslProtocols Protocol => _version == TlsVersion.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;

    public TlsCipherSuite? NegotiatedCipherSuite => (TlsCipherSuite)_suite;

    public X509Certificate2? ClientCertificate
    {
        get
        {
            if (_clientCertificate is null && _clientCertificateDer.Length > 0)
            {
                _clientCertificate = X509CertificateLoader.LoadCertificate(_clientCertificateDer);
                _clientCertificateDer = [];
            }

            return _clientCertificate;
        }

        set => _clientCertificate = value;
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    // The interface still has what NegotiatedCipherSuite says better; None is what it answers for what does not fit.
#pragma warning disable SYSLIB0058
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;

    public int CipherStrength => 0;

    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058
}
