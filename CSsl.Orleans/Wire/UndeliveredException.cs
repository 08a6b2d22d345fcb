using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>The silo has certainly not seen the message, so that it may be sent to another.</summary>
internal sealed class UndeliveredException(SiloAddress silo, string why, Exception? inner = null)
    : Exception($"Silo {silo} did not take the message: {why}", inner)
{
    /// <summary>What a caller gets when no other silo could take it either.</summary>
    public SiloUnavailableException ToUnavailable() => new(Message, this);
}
