namespace CSsl.Tls.Handshake;

/// <summary>What a handshake may negotiate. The defaults are for the public Internet.</summary>
public sealed record HandshakeOptions
{
    /// <summary>The lowest version that is accepted.</summary>
    public TlsVersion MinVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>The highest version that is offered.</summary>
    public TlsVersion MaxVersion { get; init; } = TlsVersion.Tls13;

    /// <summary>
    /// The suites, in the server's order of preference within each version. A client whose own first choice is ChaCha20
    /// (one without AES instructions) gets ChaCha20.
    /// </summary>
    public IReadOnlyList<CipherSuite> CipherSuites { get; init; } = [.. CipherSuiteInfo.All.Select(static info => info.Suite)];

    /// <summary>Groups for the key exchange, most wanted first, by their OpenSSL names. One with "?" before it is left out where OpenSSL does not know it
    /// (the hybrid with ML-KEM came with OpenSSL 3.5).</summary>
    public IReadOnlyList<string> Groups { get; init; } = ["?X25519MLKEM768", "X25519", "P-256", "P-384"];

    /// <summary>
    /// ALPN protocols, most wanted first (RFC 7301). A client that offers none of them is refused with no_application_protocol;
    /// one that offers no ALPN at all is served without. Empty: ALPN is ignored.
    /// </summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = ["h2", "http/1.1"];

    /// <summary>
    /// Session tickets sent after a full TLS 1.3 handshake (a resumed one gets one); TLS 1.2 sends one. 0 turns resumption off. Each costs 20 µs, a tenth of a handshake;
    /// a client that uses a ticket only once, as RFC 8446 appendix C.4 asks of it, resumes only one of several connections that it opens at once.
    /// </summary>
    public int TicketCount { get; init; } = 1;

    /// <summary>How long a ticket is good for.</summary>
    public TimeSpan TicketLifetime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>TLS 1.2 clients without tickets get a session id, and whoever runs the handshake keeps their sessions (<see cref="IServerHandshakeFactory"/>).</summary>
    public bool SessionIds { get; init; }

    /// <summary>PEM file of the authorities whose client certificates are accepted; null: none is asked for. A client's chain is 16 KiB at most.</summary>
    public string? ClientAuthoritiesPath { get; init; }

    /// <summary>With <see cref="ClientAuthoritiesPath"/>: a client without a certificate is refused.</summary>
    public bool RequireClientCertificate { get; init; }
}
