using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Sessions;

/// <summary>Lets sessions sleep that have had nothing to do for <see cref="SiloOptions.HibernateAfter"/>: one sweep for all, no timer per session.</summary>
internal sealed class Hibernation(SessionTable sessions, IOptions<SiloOptions> options, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var idleTime = options.Value.HibernateAfter;
        if (idleTime <= TimeSpan.Zero)
            return;
        var interval = idleTime / 4;
        using var timer = new PeriodicTimer(interval > LongestInterval ? LongestInterval : interval < ShortestInterval ? ShortestInterval : interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var session in sessions.All)
                    session.Hibernate(idleTime);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
