using CSsl.Silo.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Sessions;

/// <summary>Tells an operator what this silo has taken over from lost ones: one line a second while there is something to tell, however many sessions there are.</summary>
internal sealed partial class TakeoverLog(DataMetrics metrics, TimeProvider time, ILogger<TakeoverLog> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var told = metrics.Takeovers;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = metrics.Takeovers;
                if (now != told)
                    LogTakeovers(now.Sessions - told.Sessions, now.Replayed - told.Replayed, now.Resumed - told.Resumed, now.PassedOver - told.PassedOver, now.Refused - told.Refused);
                told = now;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "took over {Sessions} sessions of lost silos; requests of theirs: {Replayed} served again, {Resumed} resumed by range, {PassedOver} answered already, {Refused} refused with 502")]
    private partial void LogTakeovers(long sessions, long replayed, long resumed, long passedOver, long refused);
}
