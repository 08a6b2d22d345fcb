namespace CSsl.Tls.Handshake;

/// <summary>Why a handshake ended without a session. The numbers travel on the data link, the names are the values of a metric's label.</summary>
public enum HandshakeFailure : byte
{
    /// <summary>It did not fail.</summary>
    None = 0,

    /// <summary>An error of our own.</summary>
    Internal = 1,

    /// <summary>No version of TLS is both the client's and ours.</summary>
    NoSharedVersion = 2,

    /// <summary>No cipher suite is.</summary>
    NoSharedCipherSuite = 3,

    /// <summary>No group for the key exchange is.</summary>
    NoSharedGroup = 4,

    /// <summary>The client takes none of the certificates: not their type of key, or no signature that it can make.</summary>
    NoSharedCertificate = 5,

    /// <summary>No protocol of ALPN is both the client's and ours.</summary>
    NoSharedProtocol = 6,

    /// <summary>A record is not under the keys of the handshake.</summary>
    BadRecord = 7,

    /// <summary>A record or message breaks a rule of TLS.</summary>
    Malformed = 8,

    /// <summary>The client's certificate is missing, or not accepted.</summary>
    ClientCertificate = 9,

    /// <summary>The client ended it with an alert: it does not trust the certificate, for instance.</summary>
    ClientAlert = 10,

    /// <summary>It did not finish in time.</summary>
    Deadline = 11,

    /// <summary>The lane had as many as it may.</summary>
    LaneFull = 12,

    /// <summary>The connection was lost before the end.</summary>
    Abandoned = 13,

    /// <summary>The silo did not have the handshake role any more.</summary>
    RoleLost = 14,
}
