using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Probes every other silo and enters those as dead that miss too many probes in a row, whether they are gone or hang.</summary>
internal sealed partial class FailureDetector(EmbeddedClusterOptions options, MembershipTable table, Membership membership, SiloTransport transport, TimeProvider time, ILogger log)
{
    /// <summary>Probing rounds between two writes of the I-am-alive time.</summary>
    private const int RoundsPerAliveWrite = 5;

    private readonly Dictionary<SiloAddress, int> _missed = [];

    public required SiloAddress Self { get; init; }

    /// <summary>Told after a silo was entered as dead.</summary>
    public required Func<Task> Announce { get; init; }

    [SuppressMessage("Design", "CA1031", Justification = "A round that fails (a busy database) is followed by the next.")]
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.ProbePeriod, time);
        using var stop = cancellationToken.UnsafeRegister(static t => ((PeriodicTimer)t!).Dispose(), timer);
        for (var round = 1; await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false); round++)
        {
            try
            {
                await ProbeAllAsync(cancellationToken).ConfigureAwait(false);
                if (round % RoundsPerAliveWrite == 0)
                    await table.SayAliveAsync(Self).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (!cancellationToken.IsCancellationRequested)
                    LogRoundFailed(log, e);
            }
        }
    }

    private async Task ProbeAllAsync(CancellationToken cancellationToken)
    {
        var silos = membership.Current.Alive.Select(static m => m.Address).Where(a => !a.Equals(Self)).ToArray();
        var began = time.GetTimestamp();
        var answered = await Task.WhenAll(silos.Select(s => ProbeAsync(s, cancellationToken))).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();

        // This process stood still itself: what it missed says nothing about the others.
        if (time.GetElapsedTime(began) > options.ProbeTimeout + options.ProbePeriod)
            return;

        foreach (var gone in _missed.Keys.Except(silos).ToArray())
            _missed.Remove(gone);
        for (var i = 0; i < silos.Length; i++)
        {
            _missed[silos[i]] = answered[i] ? 0 : _missed.GetValueOrDefault(silos[i]) + 1;
            if (_missed[silos[i]] >= options.MissedProbes)
                await DeclareDeadAsync(silos[i]).ConfigureAwait(false);
        }
    }

    private async Task<bool> ProbeAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        try
        {
            await transport.SendAsync<Empty>(silo, Operations.Probe, Empty.Instance, options.ProbeTimeout, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is UndeliveredException or OrleansException or TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task DeclareDeadAsync(SiloAddress silo)
    {
        if (await table.SetStatusAsync(silo, SiloStatus.Dead, Self).ConfigureAwait(false))
            LogDead(log, silo, options.MissedProbes);
        _missed.Remove(silo);
        await Announce().ConfigureAwait(false);
    }

    [LoggerMessage(40, LogLevel.Warning, "Silo {Silo} missed {Probes} probes in a row and is declared dead.")]
    private static partial void LogDead(ILogger logger, SiloAddress silo, int probes);

    [LoggerMessage(41, LogLevel.Warning, "A round of probes failed.")]
    private static partial void LogRoundFailed(ILogger logger, Exception exception);
}
