using System.Buffers;

namespace CSsl.Tls.Handshake;

/// <summary>What a ClientHello says that routing, limits and logs need. Nothing is consumed, nothing is trusted.</summary>
public sealed record ClientHello
{
    /// <summary>The host name of the server_name extension in lower case, or null. Printable ASCII, at most 255 characters.</summary>
    public string? ServerName { get; init; }

    /// <summary>The protocols of the ALPN extension in the client's order, at most 64 of them; empty without one. Latin-1: one character per byte.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>legacy_session_id: 0 to 32 bytes.</summary>
    public ReadOnlyMemory<byte> SessionId { get; init; }

    /// <summary>The session_ticket extension carries a ticket (RFC 5077 section 3.2).</summary>
    public bool OffersTicket { get; init; }

    /// <summary>Versions of supported_versions; without it the legacy version alone, but never more than TLS 1.2 (RFC 8446 section 4.2.1).</summary>
    public IReadOnlyList<ushort> SupportedVersions { get; init; } = [];

    /// <summary>True when the client offers TLS 1.2 or 1.3. A hello that doesn't is complete all the same: answer it with protocol_version.</summary>
    public bool OffersSupportedVersion => SupportedVersions.Any(static v => v is 0x0303 or 0x0304);

    /// <summary>True when the server answers with TLS 1.2 and looks at the session id. With TLS 1.3 the id is there for middleboxes only
    /// (RFC 8446 appendix D.4); beside a ticket it is the client's invention (RFC 5077 section 3.4).</summary>
    /// <param name="highest">The highest version that the server speaks.</param>
    public bool ResumesById(TlsVersion highest)
        => SessionId.Length > 0 && !OffersTicket && SupportedVersions.Contains((ushort)TlsVersion.Tls12)
            && !(highest == TlsVersion.Tls13 && SupportedVersions.Contains((ushort)TlsVersion.Tls13));

    /// <summary>Length in bytes of the records that carry the hello, headers included.</summary>
    public int RecordBytes { get; init; }

    /// <summary>Length in bytes of the handshake message, its header included.</summary>
    public int MessageBytes { get; init; }

    /// <summary>Looks for a whole ClientHello, possibly in several records, at the start of what a client sent.</summary>
    /// <param name="input">Bytes as they came; may end anywhere.</param>
    /// <param name="maxHandshakeBytes">Limit on the handshake message, in bytes; past it <see cref="ClientHelloStatus.Refused"/> with decode_error.</param>
    /// <param name="hello">Set with <see cref="ClientHelloStatus.Complete"/>.</param>
    /// <param name="alert">Set with <see cref="ClientHelloStatus.Refused"/>: what to send before closing. With <see cref="ClientHelloStatus.NotTls"/>
    /// it is protocol_version for an SSLv2 hello, and close_notify, which is not sent, for all else.</param>
    /// <remarks>Looks at all of the input. Where input comes in pieces, keep a <see cref="ClientHelloReader"/>, which looks at each byte once.</remarks>
    public static ClientHelloStatus Peek(in ReadOnlySequence<byte> input, int maxHandshakeBytes, out ClientHello? hello, out AlertDescription alert)
        => new ClientHelloReader(maxHandshakeBytes).Peek(input, out hello, out alert);
}

/// <summary>The answer of <see cref="ClientHello.Peek"/>.</summary>
public enum ClientHelloStatus
{
    /// <summary>The whole hello is there.</summary>
    Complete,

    /// <summary>What is there is the start of a hello.</summary>
    NeedMore,

    /// <summary>The client speaks something else (plain HTTP, SSLv2, noise): no TLS alert would be understood, except where one is given.</summary>
    NotTls,

    /// <summary>The client speaks TLS and breaks a rule.</summary>
    Refused,
}
