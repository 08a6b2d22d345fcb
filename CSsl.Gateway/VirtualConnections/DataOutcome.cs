namespace CSsl.Gateway.VirtualConnections;

/// <summary>How the data phase of a connection ended, for the gateway. Everything but <see cref="Done"/> is a reset, so that the client does not take what it has for the whole.</summary>
internal enum DataOutcome
{
    /// <summary>It goes on.</summary>
    None = 0,

    /// <summary>The last record is sent, and the client's kernel side has it: FIN.</summary>
    Done,

    /// <summary>The silo gave up in the middle.</summary>
    Aborted,

    /// <summary>The client is gone.</summary>
    ClientGone,

    /// <summary>The client did not take the last bytes in time.</summary>
    NotTaken,

    /// <summary>No silo took it within Limits:TakeoverTime.</summary>
    NoSilo,

    /// <summary>No silo that was asked could open the capsule.</summary>
    NotOpened,

    /// <summary>Limits:Takeovers silos in a row were lost with it.</summary>
    TooManyTakeovers,

    /// <summary>The gateway is stopping.</summary>
    Stopping,

    /// <summary>The gateway failed.</summary>
    Failed,
}
