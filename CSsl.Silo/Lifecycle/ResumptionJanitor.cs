using CSsl.Database;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Deletes expired TLS sessions from the database: nobody asks for them, so no grain would. Every silo does it now and then; what one has
/// deleted, the next does not find.
/// </summary>
internal sealed partial class ResumptionJanitor(IOptions<ClusterOptions> cluster, IOptions<ResumptionOptions> options, TimeProvider time, ILogger<ResumptionJanitor> logger) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>The database's clock may differ from the silos'.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly ClusterDatabase _database = ClusterDatabase.Of(cluster.Value.Database!);
    private bool _failing;

    /// <summary>Deletes what has expired; returns how many.</summary>
    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        await _database.PrepareAsync(cancellationToken);
        var deleted = 0;
        int batch;
        do
        {
            var query = _database.Queries[StoredQueries.DeleteAged]
                .With("ServiceId", cluster.Value.Id)
                .With("GrainTypeString", ResumptionGrain.StateName)
                .With("ModifiedBefore", time.GetUtcNow() - options.Value.Lifetime - Grace);
            batch = (await _database.WriteAsync(query, static row => row.GetInt32(0), cancellationToken))[0];
            deleted += batch;
        }
        while (batch > 0);
        return deleted;
    }

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
