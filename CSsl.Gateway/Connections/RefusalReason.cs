using CSsl.Tls;

namespace CSsl.Gateway.Connections;

/// <summary>Why a client's connection did not get to the data phase. The names, in lower case, are the values of the metric's label.</summary>
internal enum RefusalReason
{
    /// <summary>The first bytes are no TLS.</summary>
    NotTls,

    /// <summary>The client speaks HTTP without TLS.</summary>
    PlainHttp,

    /// <summary>The client speaks SSLv2, or nothing newer than TLS 1.1.</summary>
    ProtocolVersion,

    /// <summary>A record or a message breaks a rule of TLS.</summary>
    Malformed,

    /// <summary>No byte in Limits:FirstByteTime.</summary>
    FirstByteTimeout,

    /// <summary>The handshake was not complete in Limits:HandshakeTime.</summary>
    HandshakeTimeout,

    /// <summary>More than Limits:HandshakeBytes.</summary>
    HandshakeTooLong,

    /// <summary>The hellos of all clients take Limits:HelloMemory.</summary>
    HelloMemory,

    /// <summary>As many handshakes are under way as the cluster can do, and none ended in time for this one.</summary>
    TooManyHandshakes,

    /// <summary>More than Limits:SourceHandshakeRate from one source.</summary>
    SourceTooFast,

    /// <summary>There was no room for it, or not any more: as many connections are open as may be.</summary>
    TooManyConnections,

    /// <summary>No handshake silo takes it.</summary>
    NoHandshakeSilo,

    /// <summary>No data silo takes it.</summary>
    NoDataSilo,

    /// <summary>The silo was lost after the client had got an answer from it.</summary>
    SiloLost,

    /// <summary>The two have no cipher suite in common.</summary>
    NoSharedCipherSuite,

    /// <summary>The two have no group for the key exchange in common.</summary>
    NoSharedGroup,

    /// <summary>The client takes none of the certificates: not their type of key, or no signature that it can make.</summary>
    NoSharedCertificate,

    /// <summary>The two have no protocol of ALPN in common.</summary>
    NoSharedProtocol,

    /// <summary>A record of the client's is not under the keys of the handshake.</summary>
    BadRecord,

    /// <summary>The client's certificate is missing, or not accepted.</summary>
    ClientCertificate,

    /// <summary>The client ended the handshake with an alert: it does not trust the certificate, for instance.</summary>
    ClientAlert,

    /// <summary>The handshake silo failed, or says what this gateway does not know.</summary>
    HandshakeFailed,

    /// <summary>The client went away before the end of its handshake.</summary>
    ClientGone,

    /// <summary>The gateway is stopping.</summary>
    Stopping,
}

internal static class RefusalReasons
{
    /// <summary>True when the same client, asking for the same, will be refused again: its offer and our configuration don't fit.</summary>
    public static bool IsLasting(this RefusalReason reason)
        => reason is RefusalReason.ProtocolVersion or RefusalReason.NoSharedCipherSuite or RefusalReason.NoSharedGroup
            or RefusalReason.NoSharedCertificate or RefusalReason.NoSharedProtocol or RefusalReason.ClientCertificate;
}

/// <summary>Why a connection ends before its data phase, and what its client is told.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Answer">Bytes for the client, in plaintext; empty for none.</param>
/// <param name="Detail">For the log.</param>
internal sealed record Refusal(RefusalReason Reason, ReadOnlyMemory<byte> Answer = default, string Detail = "")
{
    /// <summary>A refusal with an alert: only while there are no keys.</summary>
    public static Refusal WithAlert(RefusalReason reason, AlertDescription alert, string detail = "")
        => new(reason, Alert.Of(alert).ToPlaintextRecord(), $"{detail}{(detail.Length > 0 ? ", " : "")}alert {alert}");
}
