using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Silo.Links;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using SiloOptions = CSsl.Hosting.Configuration.SiloOptions;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Reports to the cluster grain: at once when the state changes, soon when the load does, and else as often as the subscription to its part of the view
/// must be renewed; and keeps what is pushed. A control plane in trouble costs one log line, not the clients: what is attached goes on, on the last view.
/// </summary>
internal sealed partial class SiloReporter(
    IGrainFactory grains,
    ClusterViewHolder view,
    SiloStatus status,
    SharedKeyRing keys,
    LoadMeter load,
    EngineMeter engine,
    SiloLinks links,
    SiloCapabilities capabilities,
    IOptions<SiloOptions> options,
    ILocalSiloDetails details,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<SiloReporter> logger) : BackgroundService, ISiloObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private ISiloObserver? _observer;
    private SiloReport? _last;
    private SiloReport? _reported;
    private long _reportedAt;
    private bool _failing;

    /// <summary>What the silo does, for its own status page; null before the first report.</summary>
    public SiloReport? Last => Volatile.Read(ref _last);

    /// <summary>Reports now. Does not throw for trouble with the control plane.</summary>
    public async Task ReportAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await SendAsync(Measure(), cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    ValueTask ISiloObserver.PartChanged(ClusterView part)
    {
        view.Update(part);
        return ValueTask.CompletedTask;
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
                await ReportIfDueAsync(stoppingToken);
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

    private async Task ReportIfDueAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var report = Measure();
            var elapsed = time.GetElapsedTime(_reportedAt);
            if (_reported is null || elapsed >= ReportChange.Renewal || elapsed >= ReportChange.PatienceFor(_reported, report))
                await SendAsync(report, cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task SendAsync(SiloReport report, CancellationToken cancellationToken)
    {
        try
        {
            (_reported, _reportedAt) = (report, time.GetTimestamp());
            _observer ??= grains.CreateObjectReference<ISiloObserver>(this);
            var grain = grains.GetGrain<IClusterGrain>(0);
            if (view.IsBehind(await grain.ReportSilo(report, _observer, view.Current.Version, cancellationToken)))
                view.Update(await grain.GetPart(report.Name, cancellationToken));
            if (_failing)
                LogReachedAgain();
            _failing = false;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            if (!_failing && !cancellationToken.IsCancellationRequested)
                LogUnreachable(ClusterTrouble.ReasonOf(e));
            _failing = true;
            _reported = null;
        }
    }

    private SiloReport Measure()
    {
        var report = NewReport();
        Volatile.Write(ref _last, report);
        return report;
    }

    private SiloReport NewReport() => new()
    {
        Name = options.Value.Name,
        Incarnation = status.Incarnation,
        ProcessId = Environment.ProcessId,
        Address = details.SiloAddress,
        LinkEndpoint = links.Endpoint,
        Roles = status.Roles,
        StartRoles = options.Value.Roles,
        CapableRoles = capabilities.Roles,
        Mode = status.Order?.Mode ?? options.Value.RoleMode,
        Order = status.Order,
        Trouble = status.Trouble,
        State = status.State,
        SealingKeys = string.Join(',', keys.KeyNames),
        StartedAt = _startedAt,
        Load = load.Measure(),
        Engine = capabilities.Roles.HasFlag(SiloRoles.Data) ? engine.Measure() : null,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "the cluster can't be reached: {Reason}; this silo goes on with what it knows")]
    private partial void LogUnreachable(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "the cluster is reached again")]
    private partial void LogReachedAgain();
}

/// <summary>What a silo could do, whatever it does: to shake hands it needs certificates, to serve data it needs routes.</summary>
/// <param name="Roles">The roles that it may be given.</param>
internal sealed record SiloCapabilities(SiloRoles Roles)
{
    /// <param name="silo">What it starts with it can do.</param>
    /// <param name="hasCertificates">Certificates are configured.</param>
    /// <param name="hasRoutes">Routes are configured.</param>
    public static SiloCapabilities Of(SiloOptions silo, bool hasCertificates, bool hasRoutes)
        => new(silo.Roles | (hasCertificates ? SiloRoles.Handshake : SiloRoles.None) | (hasRoutes ? SiloRoles.Data : SiloRoles.None));
}
