using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace CSsl.Gateway.Lifecycle;

/// <summary>
/// Reports to the cluster grain twice a second and keeps the view that comes back. A control plane in trouble costs one log line, not the
/// clients: they are served on the last view.
/// </summary>
internal sealed partial class GatewayReporter(
    IGrainFactory grains,
    ClusterViewHolder view,
    GatewayStatus status,
    HandshakeAdmission admission,
    RefusalLog refusals,
    TimeProvider time,
    ILogger<GatewayReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A cluster that starts, or whose grain moves, is away for a moment: nothing to tell anybody.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Without a client that waits for CPU, before it is said that none does.</summary>
    private static readonly TimeSpan PaceCalm = TimeSpan.FromSeconds(10);

    private long? _failingSince;
    private bool _isTold;
    private long? _pacedAt;

    /// <summary>Reports once. Does not throw for trouble with the control plane.</summary>
    internal async Task ReportAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            view.Update(await grains.GetGrain<IClusterGrain>(0).ReportGateway(Measure(), either.Token).AsTask().WaitAsync(either.Token));
            if (_isTold)
                LogReachedAgain(logger);
            _failingSince = null;
            _isTold = false;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _failingSince ??= time.GetTimestamp();
            if (_isTold || cancellationToken.IsCancellationRequested || time.GetElapsedTime(_failingSince.Value) < Patience)
                return;
            LogUnreachable(logger, e.Message);
            _isTold = true;
        }
    }

    /// <summary>The report; to a grain that is young, with what the one before it had ordered.</summary>
    private GatewayReport Measure()
    {
        var report = status.Measure();
        admission.Observe(report);
        TellPace();
        return view.Current is { Settling: true } known ? report with { Memory = new ClusterMemory { Orders = known.Orders, Decisions = known.Decisions } } : report;
    }

    private void TellPace()
    {
        var now = time.GetTimestamp();
        var pace = admission.Pace;
        if (double.IsFinite(pace) && admission.Waiting > 0)
        {
            if (_pacedAt is null)
                LogPaced(logger, (int)pace);
            _pacedAt = now;
        }
        else if (_pacedAt is { } at && time.GetElapsedTime(at, now) >= PaceCalm)
        {
            LogPacedNoMore(logger);
            _pacedAt = null;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var timer = new PeriodicTimer(Interval, time);
            do
            {
                await ReportAsync(stoppingToken);
                refusals.Sweep();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            refusals.Sweep();
        }
    }

    [LoggerMessage(EventId = 230, Level = LogLevel.Warning, Message = "The cluster grain can't be reached: {Reason} Clients are served on the last view")]
    private static partial void LogUnreachable(ILogger logger, string reason);

    [LoggerMessage(EventId = 231, Level = LogLevel.Information, Message = "The cluster grain is reached again")]
    private static partial void LogReachedAgain(ILogger logger);

    [LoggerMessage(EventId = 232, Level = LogLevel.Warning, Message = "All CPU of this gateway or of the data silos is in use: new handshakes wait, {Rate} per second begin")]
    private static partial void LogPaced(ILogger logger, int rate);

    [LoggerMessage(EventId = 233, Level = LogLevel.Information, Message = "No handshake waits for CPU any more")]
    private static partial void LogPacedNoMore(ILogger logger);
}
