using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace CSsl.Gateway.Lifecycle;

/// <summary>
/// Reports to the cluster grain when the load changes, and else as often as the subscription to the view must be renewed; and asks for the view when a push of it was missed.
/// A control plane in trouble costs one log line, not the clients: they are served on the last view. A gateway whose name
/// another one has ends.
/// </summary>
internal sealed partial class GatewayReporter(
    IGrainFactory grains,
    ClusterViewHolder view,
    GatewayObserver observer,
    GatewayStatus status,
    HandshakeAdmission admission,
    RefusalLog refusals,
    HostEnd end,
    TimeProvider time,
    ILogger<GatewayReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>A cluster that starts, or whose grain moves, is away for a moment: nothing to tell anybody.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Without a client that waits for CPU, before it is said that none does.</summary>
    private static readonly TimeSpan PaceCalm = TimeSpan.FromSeconds(10);

    private IGatewayObserver? _reference;
    private GatewayReport? _reported;
    private long _reportedAt;
    private long? _failingSince;
    private bool _isTold;
    private long? _pacedAt;

    /// <summary>Measures, and reports what is worth it. Does not throw for trouble with the control plane.</summary>
    internal async Task ReportIfDueAsync(CancellationToken cancellationToken)
    {
        var report = status.Measure();
        admission.Observe(report);
        TellPace();
        var elapsed = time.GetElapsedTime(_reportedAt);
        var isDue = _reported is null || elapsed >= ReportChange.Renewal || elapsed >= ReportChange.PatienceFor(_reported, report);
        try
        {
            if (isDue)
                await ReportAsync(report, cancellationToken);
            else if (observer.TakeMissed())
                await FetchAsync(cancellationToken);
            else
                return;
            if (_isTold)
                LogReachedAgain(logger);
            _failingSince = null;
            _isTold = false;
        }
        catch (DuplicateNameException e)
        {
            end.Because(new InUseException(e.Message, e));
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _reported = null;
            _failingSince ??= time.GetTimestamp();
            if (_isTold || cancellationToken.IsCancellationRequested || time.GetElapsedTime(_failingSince.Value) < Patience)
                return;
            LogUnreachable(logger, ClusterTrouble.ReasonOf(e));
            _isTold = true;
        }
    }

    private async Task ReportAsync(GatewayReport report, CancellationToken cancellationToken)
    {
        (_reported, _reportedAt) = (report, time.GetTimestamp());
        _reference ??= grains.CreateObjectReference<IGatewayObserver>(observer);
        var expected = await Grain.ReportGateway(report, _reference, view.Current.Version, cancellationToken);
        if (view.IsBehind(expected) | observer.TakeMissed())
            await FetchAsync(cancellationToken);
    }

    private async Task FetchAsync(CancellationToken cancellationToken) => view.Update(await Grain.GetView(cancellationToken));

    private IClusterGrain Grain => grains.GetGrain<IClusterGrain>(0);

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
                await ReportIfDueAsync(stoppingToken);
                refusals.Sweep();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            refusals.Sweep();
        }
    }

    [LoggerMessage(EventId = 230, Level = LogLevel.Warning, Message = "The cluster grain can't be reached: {Reason}; clients are served on the last view")]
    private static partial void LogUnreachable(ILogger logger, string reason);

    [LoggerMessage(EventId = 231, Level = LogLevel.Information, Message = "The cluster grain is reached again")]
    private static partial void LogReachedAgain(ILogger logger);

    [LoggerMessage(EventId = 232, Level = LogLevel.Warning, Message = "All CPU of this gateway or of the data silos is in use: new handshakes wait, {Rate} per second begin")]
    private static partial void LogPaced(ILogger logger, int rate);

    [LoggerMessage(EventId = 233, Level = LogLevel.Information, Message = "No handshake waits for CPU any more")]
    private static partial void LogPacedNoMore(ILogger logger);
}
