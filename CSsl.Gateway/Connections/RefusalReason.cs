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

    /// <summary>The two could not agree, or the client broke the protocol: the handshake silo said so.</summary>
    HandshakeFailed,

    /// <summary>The client went away before the end of its handshake.</summary>
    ClientGone,

    /// <summary>The gateway is stopping.</summary>
    Stopping,
}
