using System.Threading.Channels;
using CSsl.Grains.Cluster;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Handshake;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Makes the silo what the cluster wants it to be: it gets roles and loses them, drains, serves again. What is gained is made ready before it
/// is reported; what is lost is reported first, taken for a moment still, and then let go without a lost request.
/// </summary>
/// <remarks>What to let go follows from what the silo still holds, and not from what the last order changed: one that comes while another
/// is being carried out leaves nothing behind.</remarks>
internal sealed partial class SiloReconciler(
    ClusterViewHolder view,
    SiloStatus status,
    SiloReporter reporter,
    HandshakeLaneStarter handshakes,
    CertificateVault vault,
    HandshakeMetrics metrics,
    SessionDrain drain,
    IOptions<SiloOptions> options,
    TimeProvider time,
    ILogger<SiloReconciler> logger) : BackgroundService
{
    /// <summary>From our report until every gateway has seen it, also one that must ask for it because the push was lost.</summary>
    internal static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(1.25);

    private const int MaxTrouble = 300;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(100);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The roles that are not offered to gateways any more and may still be held, and since when.</summary>
    private readonly Dictionary<SiloRoles, long> _withdrawn = [];
    private bool _isFailing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        view.Changed += OnViewChanged;
        await using var sweep = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                await _wake.Reader.ReadAsync(stoppingToken);
                if (await TryReconcileAsync(stoppingToken))
                    sweep.Change(SweepInterval, Timeout.InfiniteTimeSpan);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops: SiloDrain takes over.
        }
        finally
        {
            view.Changed -= OnViewChanged;
        }
    }

    private void OnViewChanged(ClusterView changed) => Wake();

    private void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Goes one step on; true: there is more to do, even if nothing new is wanted.</summary>
    private async Task<bool> TryReconcileAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (view.Current.OrderFor(options.Value.Name) is { } order && order != status.Order)
                await AdoptAsync(order, stoppingToken);
            var holds = _withdrawn.Count > 0 && await ReleaseAsync(stoppingToken);
            _isFailing = false;
            return holds;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            if (!_isFailing)
                LogFailed(e);
            _isFailing = true;
            return true;
        }
    }

    /// <summary>Becomes what is wanted, as far as it can, and says so.</summary>
    private async Task AdoptAsync(SiloOrder order, CancellationToken stoppingToken)
    {
        var roles = order.Roles ?? options.Value.Roles;
        var drains = order.Drains(status.Incarnation);
        (status.Order, status.Trouble) = (order, null);
        if ((roles & ~status.Roles).HasFlag(SiloRoles.Handshake) && !await TryOpenAsync(stoppingToken))
            roles &= ~SiloRoles.Handshake;

        LogOrdered(roles, drains ? ", draining" : "");
        status.Become(roles, drains);
        await reporter.ReportAsync(stoppingToken);
        foreach (var role in (SiloRoles[])[SiloRoles.Handshake, SiloRoles.Data])
        {
            if (!drains && roles.HasFlag(role))
                _withdrawn.Remove(role);
            else
                _withdrawn.TryAdd(role, time.GetTimestamp());
        }
    }

    private async Task<bool> TryOpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await handshakes.OpenAsync(cancellationToken);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            status.Trouble = e.Message.Length > MaxTrouble ? e.Message[..MaxTrouble] : e.Message;
            LogNoHandshakes(e);
            return false;
        }
    }

    /// <summary>Lets go of the roles that are withdrawn, each for itself; true while something of one is held. That takes as long as the last session and handshake do.</summary>
    private async Task<bool> ReleaseAsync(CancellationToken cancellationToken)
    {
        foreach (var (role, since) in _withdrawn.ToList())
        {
            var elapsed = time.GetElapsedTime(since);
            if (elapsed < GraceTime)
                continue;
            status.Refuse(role);
            var isHeld = role == SiloRoles.Data
                ? drain.Sweep(isOverdue: elapsed >= GraceTime + options.Value.DrainTime) > 0
                : await HoldsHandshakesAsync(cancellationToken);
            if (!isHeld)
                _withdrawn.Remove(role);
        }

        if (_withdrawn.Count > 0)
            return true;
        LogReleased(status.IsDraining ? SiloRoles.None : status.Roles);
        if (status.TryDrained())
            await reporter.ReportAsync(cancellationToken);
        return false;
    }

    /// <summary>True while handshakes are under way; with the last of them the keys go, unless the silo only drains.</summary>
    private async Task<bool> HoldsHandshakesAsync(CancellationToken cancellationToken)
    {
        if (metrics.InFlight > 0)
            return true;
        if (vault.IsOpen && !status.Roles.HasFlag(SiloRoles.Handshake))
            await handshakes.CloseAsync(cancellationToken);
        return false;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "ordered: {Roles}{Draining}")]
    private partial void LogOrdered(SiloRoles roles, string draining);

    [LoggerMessage(Level = LogLevel.Information, Message = "the withdrawn roles are released; this silo keeps {Roles}")]
    private partial void LogReleased(SiloRoles roles);

    [LoggerMessage(Level = LogLevel.Error, Message = "the handshake role can't be taken")]
    private partial void LogNoHandshakes(Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "what was ordered can't be carried out; this is tried again")]
    private partial void LogFailed(Exception error);
}
