namespace CSsl.Gateway.VirtualConnections;

/// <summary>Where a virtual connection is.</summary>
internal enum ConnectionState
{
    /// <summary>Looking for a silo: the first, one to wake up at, one that goes on where another stopped.</summary>
    TakingOver = 0,

    /// <summary>A silo has it.</summary>
    Attached,

    /// <summary>Nobody has it: nothing is under way, and nothing but its state is in memory.</summary>
    Asleep,

    /// <summary>The end.</summary>
    Closing,
}
