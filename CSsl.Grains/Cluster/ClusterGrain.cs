using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.Timers;

namespace CSsl.Grains.Cluster;

/// <summary>
/// Keeps the cluster view, pushes it when it changes, and gives orders: the operator's, and those of <see cref="RolePlanner"/>. What was ordered is stored; who is there and what they do,
/// every process tells a new activation.
/// </summary>
public sealed partial class ClusterGrain(
    [PersistentState(ClusterGrain.StateName)] IPersistentState<ClusterState> stored,
    IClusterMembershipService membership,
    ITimerRegistry timers,
    TimeProvider time,
    IOptions<ClusterOptions> options,
    ILogger<ClusterGrain> logger) : Grain, IClusterGrain
{
    /// <summary>The name under which its state is stored.</summary>
    public const string StateName = "cluster";

    private static readonly TimeSpan PlanInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>After an order of the planner's that could not be stored.</summary>
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(5);

    private readonly RolePlannerOptions _planning = new() { MinimumHandshake = options.Value.MinimumHandshakeSilos, MinimumData = options.Value.MinimumDataSilos };
    private readonly long _startedAt = time.GetTimestamp();
    private ClusterRoster _roster = null!;
    private OrderBook _orders = null!;
    private IGrainTimer _publishing = null!;
    private IGrainTimer _planner = null!;
    private PlannerHistory _history = PlannerHistory.Empty;
    private TimeSpan? _publishArmed;
    private long _latestEpoch;
    private long? _notStoredAt;

    /// <inheritdoc/>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _orders = new OrderBook(stored.State, time);
        BeginEpoch();
        await StoreAsync(_orders.State);
        _roster = new ClusterRoster(_orders.State, membership.CurrentSnapshot, time);
        _publishing = timers.RegisterGrainTimer(GrainContext, static (self, _) => self.OnPublishDue(), this, new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true });
        _planner = timers.RegisterGrainTimer(GrainContext, static (self, _) => self.PlanAsync(), this, new GrainTimerCreationOptions(PlanInterval, PlanInterval));
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _publishing.Dispose();
        _planner.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<ViewVersion> ReportSilo(SiloReport report, ISiloObserver? observer, ViewVersion known, CancellationToken cancellationToken)
        => Reported(_roster.Report(report, observer), known);

    /// <inheritdoc/>
    public ValueTask<ViewVersion> ReportGateway(GatewayReport report, IGatewayObserver? observer, ViewVersion known, CancellationToken cancellationToken)
        => Reported(_roster.Report(report, observer), known);

    /// <inheritdoc/>
    public async ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken)
    {
        ReportValidation.Check(command);
        Observe();
        var view = _roster.View(_orders.State);
        if (CommandCheck.Judge(view, command) is { } refusal)
        {
            if (!view.Settling)
                LogRefused(command.Silo, refusal.Reason);
            return refusal with { IsProvisional = view.Settling };
        }

        var silo = view.Silos.First(silo => silo.Name == command.Silo);
        var roles = new DesiredState(view).RolesOf(silo);
        var before = _orders.State;
        var order = _orders.Give(silo.Name, known => known with
        {
            Roles = command.Roles ?? known.Roles,
            Mode = command.Mode ?? known.Mode,
            Drain = command.Drain switch
            {
                true => silo.Incarnation,
                false => null,
                null => known.Drain,
            },
            By = OrderedBy.Operator,
        });
        var decision = command.Roles is { } next && next != roles ? Decide(silo.Name, roles, next, OrderedBy.Operator, "ordered") : null;
        (var after, _orders.State) = (_orders.State, before);
        try
        {
            // Reports are taken meanwhile, and pushed: nobody hears of the order before it is stored.
            await StoreAsync(after);
        }
        catch (Exception e) when (e is not InconsistentStateException)
        {
            LogNotStored(e.Message);
            return new CommandAnswer { Outcome = CommandOutcome.NotStored, Reason = $"the order can't be stored: {e.Message}" };
        }

        _orders.State = after;
        if (decision is not null)
            Log(decision);
        if (command.Drain is { } drain)
            LogDrain(silo.Name, drain ? "is to drain" : "is to serve again");
        Publish();
        return new CommandAnswer { Outcome = CommandOutcome.Ordered, Order = order };
    }

    /// <inheritdoc/>
    public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => ValueTask.FromResult(_roster.Published);

    /// <inheritdoc/>
    public ValueTask<ClusterView> GetPart(string silo, CancellationToken cancellationToken) => ValueTask.FromResult(_roster.PartOf(silo));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<KnownGateway>> GetGateways(CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<KnownGateway>>([.. _roster.KnownGateways]);

    private ValueTask<ViewVersion> Reported(ViewVersion expected, ViewVersion known)
    {
        _latestEpoch = Math.Max(_latestEpoch, known.Epoch);
        ArmPublishing();
        return ValueTask.FromResult(expected);
    }

    private void Observe()
    {
        _roster.Observe(membership.CurrentSnapshot);
        _roster.Age();
    }

    private void ArmPublishing()
    {
        if (_roster.PublishIn is not { } due)
            return;
        var at = time.GetElapsedTime(_startedAt) + due;
        if (_publishArmed is { } armed && armed <= at)
            return;
        _publishArmed = at;
        _publishing.Change(due, Timeout.InfiniteTimeSpan);
    }

    private Task OnPublishDue()
    {
        Publish();
        return Task.CompletedTask;
    }

    private void Publish()
    {
        _publishArmed = null;
        if (_roster.Publish(_orders.State) is not { } publication)
            return;
        foreach (var gateway in _roster.GatewayObservers)
            gateway.ViewChanged(publication.Change).AsTask().Ignore();
        foreach (var (silo, part) in publication.Parts)
            silo.PartChanged(part).AsTask().Ignore();
    }

    private async Task PlanAsync()
    {
        if (_latestEpoch > _orders.State.Epoch)
        {
            BeginEpoch();
            _roster.Begin(_orders.State.Epoch);
        }

        Observe();
        var view = _roster.View(_orders.State);
        _orders.Age(view.Silos);
        var plan = RolePlanner.Plan(view, _history, _planning, DateTimeOffset.UnixEpoch + time.GetElapsedTime(_startedAt));
        _history = plan.History;
        foreach (var change in plan.Changes)
        {
            _orders.Give(change.Silo, known => known with { Roles = change.To, By = OrderedBy.Planner });
            Log(Decide(change.Silo, change.From, change.To, OrderedBy.Planner, change.Reason));
        }

        // Nobody is told a key before it is stored: the next activation must not take the cluster back to one that may be gone.
        var sealingKey = _orders.State.SealingKey;
        _orders.State = SealingKeyChoice.Next(sealingKey, view.Silos, view.Settling) is var next && next != sealingKey ? _orders.State with { SealingKey = next } : _orders.State;
        await TryStoreAsync();
        if (stored.State.SealingKey != _orders.State.SealingKey)
            _orders.State = _orders.State with { SealingKey = sealingKey };
        else if (next != sealingKey)
            LogSealingKey(next, sealingKey);
        if (_orders.State.SealingKey != _roster.Published.SealingKey || _roster.IsSettling != _roster.Published.Settling || _orders.Orders != _roster.Published.Orders)
            Publish();
        ArmPublishing();
    }

    /// <summary>Views of an epoch that is later than ours are out there when the database is older than the cluster: none of ours would be taken.</summary>
    private void BeginEpoch() => _orders.State = _orders.State with { Epoch = Math.Max(_orders.State.Epoch, _latestEpoch) + 1 };

    /// <summary>Stores what the planner decided. While that can't be, its orders hold all the same: what it decided by is still the case at a next activation.</summary>
    private async Task TryStoreAsync()
    {
        if (ReferenceEquals(stored.State, _orders.State) || _notStoredAt is { } at && time.GetElapsedTime(at) < StorePause)
            return;
        try
        {
            await StoreAsync(_orders.State);
        }
        catch (Exception e) when (e is not InconsistentStateException)
        {
            if (_notStoredAt is null)
                LogNotStored(e.Message);
            _notStoredAt = time.GetTimestamp();
        }
    }

    /// <exception cref="InconsistentStateException">Another activation has stored since: this one ends, and whoever calls finds that one.</exception>
    private async Task StoreAsync(ClusterState state)
    {
        var before = stored.State;
        stored.State = state;
        try
        {
            await stored.WriteStateAsync();
            _notStoredAt = null;
        }
        catch (Exception e)
        {
            stored.State = before;
            if (e is InconsistentStateException)
                DeactivateOnIdle();
            throw;
        }
    }

    private RoleDecision Decide(string silo, SiloRoles from, SiloRoles to, OrderedBy by, string reason)
    {
        var decision = new RoleDecision { At = time.GetUtcNow(), Silo = silo, From = from, To = to, By = by, Reason = reason };
        _orders.Note(decision);
        return decision;
    }

    private void Log(RoleDecision decision) => LogRoles(decision.Silo, decision.From, decision.To, decision.By, decision.Reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "roles of {Silo}: {From} -> {To}, by the {By}: {Reason}")]
    private partial void LogRoles(string silo, SiloRoles from, SiloRoles to, OrderedBy by, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "silos seal under {Key} from now on; before: {Before}")]
    private partial void LogSealingKey(string? key, string? before);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Silo} {What}, by the Operator")]
    private partial void LogDrain(string silo, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "a command for {Silo} was refused: {Reason}")]
    private partial void LogRefused(string silo, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "orders can't be stored: {Reason}")]
    private partial void LogNotStored(string reason);
}
