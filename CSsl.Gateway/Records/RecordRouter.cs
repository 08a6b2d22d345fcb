using CSsl.Tls;
using CSsl.Tls.Records;

namespace CSsl.Gateway.Records;

/// <summary>Where a client connection is in its life, as its gateway sees it.</summary>
internal enum ConnectionPhase : byte
{
    /// <summary>Nothing was answered yet: the client's first message must be a ClientHello.</summary>
    Hello,

    /// <summary>A handshake silo answers.</summary>
    Handshake,

    /// <summary>A data silo serves the session.</summary>
    Data,

    /// <summary>The last bytes are on their way to the client; what it sends is thrown away.</summary>
    Closing,
}

/// <summary>Who gets a record.</summary>
internal enum RouteTarget : byte
{
    HandshakeSilo,
    DataSilo,

    /// <summary>Nobody: the client breaks the protocol.</summary>
    Refuse,
}

/// <summary>The answer of <see cref="RecordRouter"/>.</summary>
/// <param name="Target">Who gets the record.</param>
/// <param name="Alert">With <see cref="RouteTarget.Refuse"/>: what the client is told.</param>
internal readonly record struct Route(RouteTarget Target, AlertDescription Alert = default);

/// <summary>Says who gets a client's record: by phase and content type. A pure function.</summary>
/// <remarks>
/// The C-SSL paper's Table 1 routed by content type alone, which TLS 1.3 no longer allows: an encrypted Finished, a KeyUpdate and a
/// request all wear type 23 (RFC 8446 section 5.2), and renegotiation and post-handshake messages wear type 22 in the data phase.
/// <code>
///  content type            Hello                  Handshake                       Data
///  20 change_cipher_spec   unexpected_message     handshake silo: TLS 1.2's own,  data silo: refuses it
///                                                 or 1.3's compatibility one,
///                                                 dropped there (RFC 8446 D.4)
///  21 alert                unexpected_message     handshake silo                  data silo
///  22 handshake            handshake silo         handshake silo                  data silo: no_renegotiation
///  23 application_data     unexpected_message     handshake silo: 1.3's           data silo: data, and 1.3's KeyUpdate,
///                                                 Certificate, Finished           alerts in disguise
/// </code>
/// </remarks>
internal static class RecordRouter
{
    /// <summary>The route of one record.</summary>
    /// <exception cref="ArgumentOutOfRangeException">In this phase nothing is routed.</exception>
    public static Route For(ConnectionPhase phase, ContentType type) => phase switch
    {
        ConnectionPhase.Hello when type == ContentType.Handshake => new Route(RouteTarget.HandshakeSilo),
        ConnectionPhase.Hello => new Route(RouteTarget.Refuse, AlertDescription.UnexpectedMessage),
        ConnectionPhase.Handshake => new Route(RouteTarget.HandshakeSilo),
        ConnectionPhase.Data => new Route(RouteTarget.DataSilo),
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "In this phase nothing is routed."),
    };

    /// <summary>The longest record that a client may send in the phase; in the data phase it depends on the version.</summary>
    public static int MaxLength(ConnectionPhase phase, TlsVersion? version = null) => (phase, version) switch
    {
        (ConnectionPhase.Hello, _) => RecordHeader.MaxPlaintext,
        (ConnectionPhase.Data, TlsVersion.Tls13) => RecordHeader.MaxCiphertext13,
        _ => RecordHeader.MaxCiphertext12,
    };
}
