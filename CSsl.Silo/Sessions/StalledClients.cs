using CSsl.Grains.Data;
using Microsoft.Extensions.Hosting;

namespace CSsl.Silo.Sessions;

/// <summary>Ends sessions whose client no longer takes what the application left for it. It calls no grain: a cluster in trouble keeps no client's memory.</summary>
internal sealed class StalledClients(SessionTable sessions, TimeProvider time) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a client may take nothing of what is left after the application is done.</summary>
    internal static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var session in sessions.All.Where(static session => session.Stalled >= LingerTime))
                    session.Abort("the client does not take what was sent");
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }
}
