using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Reports to the cluster grain twice a second, and at once when the state changes, and keeps the view that comes back. A control plane in
/// trouble costs one log line, not the clients: what is attached goes on, on the last view.
/// </summary>
internal sealed partial class SiloReporter(
    IGrainFactory grains,
    ClusterViewHolder view,
    SiloStatus status,
    LoadMeter load,
    EngineMeter engine,
    SiloLinks links,
    SiloCapabilities capabilities,
    IOptions<SiloOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<SiloReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private SiloReport? _last;
    private bool _failing;

    /// <summary>What was reported last, for the silo's own status page; null before the first report.</summary>
    public SiloReport? Last => Volatile.Read(ref _last);

    /// <summary>Reports now. Does not throw for trouble with the control plane.</summary>
    public async Task ReportAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var report = Measure();
            Volatile.Write(ref _last, report);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(CallTimeout);
            view.Update(await grains.GetGrain<IClusterGrain>(0).ReportSilo(report, timeout.Token).AsTask().WaitAsync(timeout.Token));
            if (_failing)
                LogReachedAgain();
            _failing = false;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            if (!_failing && !cancellationToken.IsCancellationRequested)
                LogUnreachable(e);
            _failing = true;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _oneAtATime.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // A silo that is in the view gets connections: not before everything of it listens.
            await StartedAsync(stoppingToken);
            status.Activate();
            using var timer = new PeriodicTimer(Interval, time);
            do
            {
                await ReportAsync(stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    private SiloReport Measure() => new()
    {
        Name = options.Value.Name,
        Incarnation = status.Incarnation,
        ProcessId = Environment.ProcessId,
        LinkEndpoint = links.Endpoint,
        Roles = status.Roles,
        StartRoles = options.Value.Roles,
        CapableRoles = capabilities.Roles,
        Mode = status.Order?.Mode ?? options.Value.RoleMode,
        Order = status.Order,
        Trouble = status.Trouble,
        State = status.State,
        StartedAt = _startedAt,
        Load = load.Measure(),
        Engine = capabilities.Roles.HasFlag(SiloRoles.Data) ? engine.Measure() : null,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "the cluster can't be reached; this silo goes on with what it knows")]
    private partial void LogUnreachable(Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "the cluster is reached again")]
    private partial void LogReachedAgain();
}
