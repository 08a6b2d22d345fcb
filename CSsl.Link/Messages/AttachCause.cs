namespace CSsl.Link;

/// <summary>Why a session is attached.</summary>
public enum AttachCause : byte
{
    /// <summary>The handshake is complete.</summary>
    First = 0,

    /// <summary>It slept, after a Detach, and the client has sent something.</summary>
    Wake = 1,

    /// <summary>Its silo sent Detach while the client was sending: what that silo dropped unread comes again.</summary>
    Move = 2,

    /// <summary>Its silo was lost.</summary>
    Takeover = 3,
}
