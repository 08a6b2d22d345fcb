using CSsl.Tls;
using CSsl.Tls.Handshake;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>What a client offers.</summary>
internal sealed record ClientSettings
{
    /// <summary>The only version that it speaks (as on the wire).</summary>
    public ushort Version { get; init; } = (ushort)TlsVersion.Tls13;

    /// <summary>The only suite that it offers; null: OpenSSL's default list.</summary>
    public CipherSuite? Suite { get; init; }

    /// <summary>OpenSSL names of suites for TLS 1.2, instead of <see cref="Suite"/>.</summary>
    public string? CipherList { get; init; }

    /// <summary>Signature algorithms, which decide between an RSA and an ECDSA certificate; null: all.</summary>
    public string? SignatureAlgorithms { get; init; }

    /// <summary>Groups; key shares are sent for the first.</summary>
    public string Groups { get; init; } = "X25519:P-256:P-384";

    public string? ServerName { get; init; } = "localhost";
    public string[] ApplicationProtocols { get; init; } = [];
    public bool EncryptThenMac { get; init; } = true;
    public bool Tickets { get; init; } = true;

    /// <summary>max_fragment_length: 1 to 4 for 512 to 4096 bytes; 0: not offered.</summary>
    public byte MaxFragmentCode { get; init; }

    /// <summary>A session of <see cref="OpenSslClient.TakeSession"/>.</summary>
    public ClientSession? Resume { get; init; }

    /// <summary>Certificate and key in PEM to authenticate with.</summary>
    public CertificateFiles? Certificate { get; init; }
}
