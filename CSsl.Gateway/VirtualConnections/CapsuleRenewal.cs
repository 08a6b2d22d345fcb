using CSsl.Gateway.Connections;
using CSsl.Gateway.Links;
using CSsl.Grains.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// Wakes connections that sleep with a capsule under a key which the cluster seals under no more, so many in a second: a silo seals it anew, and lets them sleep again.
/// So none of them sleeps longer than its key is kept.
/// </summary>
internal sealed partial class CapsuleRenewal(ClusterViewHolder view, ConnectionTable connections, SiloLinks links, TimeProvider time, ILogger<CapsuleRenewal> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How many are woken in an interval.</summary>
    internal const int AtOnce = 200;

    /// <summary>Intervals between two looks while the key does not change. One whose silo was lost may have fallen asleep with an old capsule.</summary>
    private const int RestIntervals = 60;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? done = null;
        var rested = 0;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                // Nobody is woken for nothing, to be reset when no silo takes it.
                if (view.Current.SealingKey is not { } key || (key == done && ++rested < RestIntervals) || links.Pick(SiloRoles.Data) is null)
                    continue;
                var woken = Wake(key);
                if (woken > 0)
                    LogWoken(woken, key);
                done = woken < AtOnce ? key : null;
                rested = 0;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Wakes some of those that are not sealed under this key; returns how many.</summary>
    internal int Wake(string key)
    {
        var woken = 0;
        foreach (var connection in connections.All)
        {
            if (woken < AtOnce && connection.Session is { State: ConnectionState.Asleep } session && session.RenewCapsule(key))
                woken++;
        }

        return woken;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} sleeping connections wake up to be sealed anew: the cluster seals under {Key}")]
    private partial void LogWoken(int count, string key);
}
