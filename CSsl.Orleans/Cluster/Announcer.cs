using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Speaks to all silos of the cluster.</summary>
internal sealed partial class Announcer(Membership membership, SiloTransport transport, TimeSpan timeout, ILogger log)
{
    /// <summary>A silo with another key would take all others for dead, and say so in the table: it must not join.</summary>
    /// <exception cref="OrleansConfigurationException">Silos of the cluster refuse this one, and none accepts it.</exception>
    public async Task ProveKeyAsync(string name)
    {
        var view = await membership.RefreshAsync().ConfigureAwait(false);
        var answers = await Task.WhenAll(view.Alive.Where(m => m.Name != name).Select(m => TellAsync(m.Address, Operations.Probe))).ConfigureAwait(false);
        if (!answers.Contains(null) && answers.FirstOrDefault(static a => a?.GetType() == typeof(OrleansException)) is { } refusal)
            throw new OrleansConfigurationException($"Silo {name} can't join: {refusal.Message}", refusal);
    }

    /// <summary>Whether the silo is there, and of this cluster.</summary>
    public async Task<bool> AnswersAsync(SiloAddress silo) => await TellAsync(silo, Operations.Probe).ConfigureAwait(false) is null;

    /// <summary>Reads the membership and has every other silo read it. Who does not hear it now reads it soon by itself.</summary>
    public async Task AnnounceAsync()
    {
        var view = await membership.RefreshAsync().ConfigureAwait(false);
        await Task.WhenAll(view.Alive.Select(m => TellAsync(m.Address, Operations.Refresh))).ConfigureAwait(false);
    }

    /// <summary>Sends a message without content; returns what prevented it.</summary>
    private async Task<Exception?> TellAsync(SiloAddress silo, string operation)
    {
        try
        {
            await transport.SendAsync<Empty>(silo, operation, Empty.Instance, timeout, CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is UndeliveredException or OrleansException or TimeoutException)
        {
            LogNotTold(log, silo, operation, e.Message);
            return e;
        }
    }

    [LoggerMessage(63, LogLevel.Debug, "Silo {Silo} did not hear {Operation}: {Reason}")]
    private static partial void LogNotTold(ILogger logger, SiloAddress silo, string operation, string reason);
}
