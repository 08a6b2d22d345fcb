using CSsl.Grains.Cluster;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Handshake;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Silo.Lifecycle;

/// <summary>
/// Does what the cluster orders this silo: gets roles and loses them, drains, serves again. What is gained is made ready before it
/// is reported; what is lost is reported first, taken for a moment still, and then let go without a lost request.
/// </summary>
internal sealed partial class OrderKeeper(
    ClusterViewHolder view,
    SiloStatus status,
    SiloReporter reporter,
    HandshakeLaneStarter handshakes,
    HandshakeMetrics metrics,
    SessionDrain drain,
    IOptions<SiloOptions> options,
    TimeProvider time,
    ILogger<OrderKeeper> logger) : BackgroundService
{
    /// <summary>From our report until every gateway has seen it: two of their reports, and some.</summary>
    internal static readonly TimeSpan GraceTime = TimeSpan.FromSeconds(1.25);

    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _ordered = new(0, 1);
    private CancellationTokenSource _superseded = new();
    private Task _lettingGo = Task.CompletedTask;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _ordered.Dispose();
        _superseded.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        view.Changed += OnViewChanged;
        try
        {
            while (true)
            {
                await _ordered.WaitAsync(stoppingToken);
                if (Newest() is { } order)
                    await ObeyAsync(order, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops: SiloDrain takes over.
        }
        finally
        {
            view.Changed -= OnViewChanged;
            await SupersedeAsync();
        }
    }

    private void OnViewChanged(ClusterView changed)
    {
        if (Newest() is not null && _ordered.CurrentCount == 0)
            _ordered.Release();
    }

    /// <summary>The order for this silo, if it is newer than what it acts on.</summary>
    private SiloOrder? Newest() => view.Current.OrderFor(options.Value.Name) is { } order && order.Version > (status.Order?.Version ?? 0) ? order : null;

    private async Task ObeyAsync(SiloOrder order, CancellationToken stoppingToken)
    {
        await SupersedeAsync();
        var roles = order.Roles ?? options.Value.Roles;
        var drains = order.Drains(status.Incarnation);
        var lost = status.Roles & ~roles;
        (status.Order, status.Trouble) = (order, null);
        if ((roles & ~status.Roles).HasFlag(SiloRoles.Handshake) && !await TryOpenAsync(stoppingToken))
            roles &= ~SiloRoles.Handshake;

        LogOrdered(roles, drains ? ", draining" : "");
        status.Become(roles, drains);
        await reporter.ReportAsync(stoppingToken);
        if (drains || lost != SiloRoles.None)
            _lettingGo = LetGoAsync(drains ? SiloRoles.None : roles, drains, lost.HasFlag(SiloRoles.Handshake), stoppingToken);
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

    /// <summary>Lets go of whatever is not in <paramref name="keeps"/>; takes as long as the last session and handshake do.</summary>
    private async Task LetGoAsync(SiloRoles keeps, bool drains, bool closesHandshakes, CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_superseded.Token, stoppingToken);
        var cancellationToken = either.Token;
        try
        {
            await Task.Delay(GraceTime, time, cancellationToken);
            status.TakeOnly(keeps);
            using var timer = new PeriodicTimer(SweepInterval, time);
            var began = time.GetTimestamp();
            while (IsHolding(keeps, time.GetElapsedTime(began) >= options.Value.DrainTime))
                await timer.WaitForNextTickAsync(cancellationToken);
            if (closesHandshakes)
                await handshakes.CloseAsync(cancellationToken);
            LogLetGo(keeps);
            if (drains)
            {
                status.Drained();
                await reporter.ReportAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Another order, or the host stops.
        }
        catch (Exception e)
        {
            LogFailed(e);
        }
    }

    /// <summary>Asks what is left of the lost roles to finish; true while there is any.</summary>
    private bool IsHolding(SiloRoles keeps, bool isOverdue)
    {
        var holds = !keeps.HasFlag(SiloRoles.Handshake) && metrics.InFlight > 0;
        return keeps.HasFlag(SiloRoles.Data) ? holds : drain.Sweep(isOverdue) > 0 || holds;
    }

    private async Task SupersedeAsync()
    {
        await _superseded.CancelAsync();
        await _lettingGo;
        _superseded.Dispose();
        _superseded = new CancellationTokenSource();
        _lettingGo = Task.CompletedTask;
    }

    private const int MaxTrouble = 300;

    [LoggerMessage(Level = LogLevel.Information, Message = "ordered: {Roles}{Draining}")]
    private partial void LogOrdered(SiloRoles roles, string draining);

    [LoggerMessage(Level = LogLevel.Information, Message = "nothing is left of what this silo does no more; it keeps {Roles}")]
    private partial void LogLetGo(SiloRoles roles);

    [LoggerMessage(Level = LogLevel.Error, Message = "the handshake role can't be taken")]
    private partial void LogNoHandshakes(Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "letting go failed")]
    private partial void LogFailed(Exception error);
}
