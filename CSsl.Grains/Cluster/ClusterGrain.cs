using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>
/// Keeps the cluster view, and gives orders: the operator's, and those of <see cref="RolePlanner"/>. Nothing is persisted: a new activation
/// knows everybody, and what was ordered, within half a second.
/// </summary>
public sealed partial class ClusterGrain(TimeProvider time, IOptions<ClusterOptions> options, ILogger<ClusterGrain> logger) : Grain, IClusterGrain
{
    private static readonly TimeSpan PlanInterval = TimeSpan.FromMilliseconds(250);

    private readonly ClusterRoster _roster = new(time);
    private readonly RolePlannerOptions _planning = new() { MinimumHandshake = options.Value.MinimumHandshakeSilos, MinimumData = options.Value.MinimumDataSilos };
    private PlannerHistory _history = PlannerHistory.Empty;
    private DateTimeOffset _nextPlan;

    /// <inheritdoc/>
    public ValueTask<ClusterView> ReportSilo(SiloReport report, CancellationToken cancellationToken)
    {
        _roster.Report(report);
        Plan();
        return ValueTask.FromResult(_roster.PartOf(report.Name));
    }

    /// <inheritdoc/>
    public ValueTask<ClusterView> ReportGateway(GatewayReport report, CancellationToken cancellationToken)
    {
        _roster.Report(report);
        Plan();
        return ValueTask.FromResult(_roster.View());
    }

    /// <inheritdoc/>
    public ValueTask<CommandAnswer> Command(SiloCommand command, CancellationToken cancellationToken)
    {
        ReportValidation.Check(command);
        var view = _roster.View();
        if (CommandCheck.Judge(view, command) is { } refusal)
        {
            if (!view.Settling)
                LogRefused(command.Silo, refusal.Reason);
            return ValueTask.FromResult(refusal with { IsProvisional = view.Settling });
        }

        var silo = view.Silos.First(silo => silo.Name == command.Silo);
        var before = new DesiredState(view).RolesOf(silo);
        var order = _roster.Orders.Give(silo.Name, known => known with
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
        if (command.Roles is { } roles && roles != before)
            Note(silo.Name, before, roles, OrderedBy.Operator, "ordered");
        if (command.Drain is { } drain)
            LogDrain(silo.Name, drain ? "is to drain" : "is to serve again");
        return ValueTask.FromResult(new CommandAnswer { Outcome = CommandOutcome.Ordered, Order = order });
    }

    /// <inheritdoc/>
    public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => ValueTask.FromResult(_roster.View());

    // Reports come all the time: no timer of our own.
    private void Plan()
    {
        var now = time.GetUtcNow();
        if (now < _nextPlan)
            return;

        _nextPlan = now + PlanInterval;
        var plan = RolePlanner.Plan(_roster.View(), _history, _planning, now);
        _history = plan.History;
        foreach (var change in plan.Changes)
        {
            _roster.Orders.Give(change.Silo, known => known with { Roles = change.To, By = OrderedBy.Planner });
            Note(change.Silo, change.From, change.To, OrderedBy.Planner, change.Reason);
        }
    }

    private void Note(string silo, SiloRoles from, SiloRoles to, OrderedBy by, string reason)
    {
        _roster.Orders.Note(new RoleDecision { At = time.GetUtcNow(), Silo = silo, From = from, To = to, By = by, Reason = reason });
        LogRoles(silo, from, to, by, reason);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "roles of {Silo}: {From} -> {To}, by the {By}: {Reason}")]
    private partial void LogRoles(string silo, SiloRoles from, SiloRoles to, OrderedBy by, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Silo} {What}, by the Operator")]
    private partial void LogDrain(string silo, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "a command for {Silo} was refused: {Reason}")]
    private partial void LogRefused(string silo, string reason);
}
