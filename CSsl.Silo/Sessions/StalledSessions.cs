using CSsl.Grains.Data;
using Microsoft.Extensions.Hosting;

namespace CSsl.Silo.Sessions;

/// <summary>Ends the sessions whose client no longer takes what the application left for it. Asks nobody, so that the state of the cluster does not matter.</summary>
internal sealed class StalledSessions(SessionTable sessions, TimeProvider time) : BackgroundService
{
    /// <summary>How long a client may take nothing of what is left after the application is done.</summary>
    internal static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Sweep();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void Sweep()
    {
        foreach (var session in sessions.All)
        {
            if (session.Stalled >= LingerTime)
                session.Abort("the client does not take what was sent");
        }
    }
}
