using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>How a probe ended.</summary>
internal enum ProbeResult
{
    Answered,

    /// <summary>No answer in time: the silo hangs, or is slow.</summary>
    Silent,

    /// <summary>Nobody is there, or somebody else.</summary>
    Refused,
}

/// <summary>
/// Counts the probes that each silo missed in a row. On a machine that is too busy to run this process in time, silence proves nothing
/// and does not count; a refused connection does.
/// </summary>
/// <param name="limit">So many make a silo dead.</param>
/// <param name="timeout">After which a probe is silent.</param>
internal sealed class MissedProbes(int limit, TimeSpan timeout)
{
    private readonly Dictionary<SiloAddress, int> _missed = [];

    /// <summary>True when the silo has missed too many.</summary>
    /// <param name="silo">The silo that was probed.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="took">How long the round took. Longer than the timeout: this process did not get the CPU, so the others may not have got it either.</param>
    public bool Note(SiloAddress silo, ProbeResult result, TimeSpan took)
    {
        if (result == ProbeResult.Silent && took > timeout * 1.25)
            return false;
        var missed = result == ProbeResult.Answered ? 0 : _missed.GetValueOrDefault(silo) + 1;
        _missed[silo] = missed;
        return missed >= limit;
    }

    /// <summary>Forgets all silos but these.</summary>
    public void Keep(IReadOnlyCollection<SiloAddress> silos)
    {
        foreach (var gone in _missed.Keys.Except(silos).ToArray())
            _missed.Remove(gone);
    }
}
