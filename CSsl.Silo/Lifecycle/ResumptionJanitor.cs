using CSsl.Grains.Handshake;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Deletes expired TLS sessions from the database: nobody asks for them, so no grain would. Every silo does it now and then; what one has
/// deleted, the next does not find.
/// </summary>
internal sealed partial class ResumptionJanitor(ResumptionStorage sessions, TimeProvider time, ILogger<ResumptionJanitor> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>The clocks of silos may differ.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private bool _failing;

    /// <summary>Deletes what has expired; returns how many.</summary>
    internal Task<int> SweepAsync(CancellationToken cancellationToken) => sessions.DeleteExpiredAsync(time.GetUtcNow() - Grace, cancellationToken);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Not all silos at once.
            using var timer = new PeriodicTimer(Interval * (0.75 + (Random.Shared.NextDouble() / 2)), time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await TrySweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task TrySweepAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (await SweepAsync(stoppingToken) is > 0 and var deleted)
                LogDeleted(deleted);
            _failing = false;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            if (!_failing)
                LogFailed(e.Message);
            _failing = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} expired sessions were deleted from the database")]
    private partial void LogDeleted(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "expired sessions can't be deleted from the database: {Reason}")]
    private partial void LogFailed(string reason);
}
