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

    private Task _sayingAlive = Task.CompletedTask;
    private bool _failing;
    private readonly MissedProbes _missed = new(options.MissedProbes, options.ProbeTimeout);

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
                // A database that hangs must not keep this silo from seeing who is dead.
                if (round % RoundsPerAliveWrite == 0 && _sayingAlive.IsCompleted)
                    _sayingAlive = SayAliveAsync();
                await ProbeAllAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (!cancellationToken.IsCancellationRequested)
                    LogRoundFailed(log, e.Message);
            }
        }

        await _sayingAlive.ConfigureAwait(false);
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is said again in a moment; nobody buries a silo that answers.")]
    private async Task SayAliveAsync()
    {
        try
        {
            await table.SayAliveAsync(Self).ConfigureAwait(false);
            _failing = false;
        }
        catch (Exception e)
        {
            if (!_failing)
                LogNotSaid(log, e.Message);
            _failing = true;
        }
    }

    private async Task ProbeAllAsync(CancellationToken cancellationToken)
    {
        var silos = membership.Current.Alive.Select(static m => m.Address).Where(a => !a.Equals(Self)).ToArray();
        var began = time.GetTimestamp();
        var results = await Task.WhenAll(silos.Select(s => ProbeAsync(s, cancellationToken))).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();

        var took = time.GetElapsedTime(began);
        _missed.Keep(silos);
        foreach (var (silo, result) in silos.Zip(results))
        {
            if (_missed.Note(silo, result, took))
                await DeclareDeadAsync(silo).ConfigureAwait(false);
        }
    }

    private async Task<ProbeResult> ProbeAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        try
        {
            await transport.SendAsync<Empty>(silo, Operations.Probe, Empty.Instance, options.ProbeTimeout, cancellationToken).ConfigureAwait(false);
            return ProbeResult.Answered;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return ProbeResult.Silent;
        }
        catch (Exception e) when (e is UndeliveredException or OrleansException)
        {
            return ProbeResult.Refused;
        }
    }

    private async Task DeclareDeadAsync(SiloAddress silo)
    {
        if (await table.SetStatusAsync(silo, SiloStatus.Dead, Self).ConfigureAwait(false))
            LogDead(log, silo, options.MissedProbes);
        await Announce().ConfigureAwait(false);
    }

    [LoggerMessage(40, LogLevel.Warning, "Silo {Silo} missed {Probes} probes in a row and is declared dead.")]
    private static partial void LogDead(ILogger logger, SiloAddress silo, int probes);

    [LoggerMessage(41, LogLevel.Warning, "A round of probes failed: {Reason}")]
    private static partial void LogRoundFailed(ILogger logger, string reason);

    [LoggerMessage(44, LogLevel.Warning, "The database can't be told that this silo is alive: {Reason}")]
    private static partial void LogNotSaid(ILogger logger, string reason);
}
