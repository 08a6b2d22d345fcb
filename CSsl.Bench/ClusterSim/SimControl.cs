using CSsl.Grains.Cluster;

namespace CSsl.Bench.ClusterSim;

/// <summary>The cluster grain of a simulation: reports in, views and orders out, and the real planner.</summary>
internal sealed class SimControl(SimSilo[] silos, int gateways)
{
    private const double SilentAfter = 2;

    private readonly SiloReport[] _reports = new SiloReport[silos.Length];
    private readonly GatewayReport?[] _gateways = new GatewayReport?[gateways];
    private readonly double[] _reportedAt = new double[silos.Length];
    private readonly SortedDictionary<string, SiloOrder> _orders = new(StringComparer.Ordinal);
    private readonly List<double> _changedAt = [];
    private PlannerHistory _history = PlannerHistory.Empty;
    private long _version;

    /// <summary>Changes of roles so far.</summary>
    public int Changes => _changedAt.Count;

    /// <summary>From a time to the first change after it; null: none.</summary>
    public double? FirstOrder(double since) => _changedAt.Where(at => at >= since).Select(at => (double?)(at - since)).FirstOrDefault();

    /// <summary>A silo reports and obeys what it reads in the answer, which it reports at once.</summary>
    public void Report(SimSilo silo, double now)
    {
        var order = _orders.GetValueOrDefault(silo.Name);
        if (order?.Roles is { } roles)
            silo.Roles = roles;
        _reports[silo.Index] = silo.Report(now, order);
        _reportedAt[silo.Index] = now;
    }

    /// <summary>A gateway reports.</summary>
    public void Report(GatewayReport report, int index) => _gateways[index] = report;

    /// <summary>The view as of now.</summary>
    public ClusterView View(double now) => new()
    {
        Version = new ViewVersion(1, ++_version),
        Silos = [.. _reports.Select((report, i) => now - _reportedAt[i] < SilentAfter ? report : report with { State = SiloState.Silent })],
        Gateways = [.. _gateways.OfType<GatewayReport>()],
        Orders = [.. _orders.Values],
    };

    /// <summary>Lets the planner decide.</summary>
    public void Plan(double now)
    {
        var plan = RolePlanner.Plan(View(now), _history, new RolePlannerOptions(), DateTimeOffset.UnixEpoch.AddSeconds(now));
        _history = plan.History;
        foreach (var change in plan.Changes)
        {
            _orders[change.Silo] = new SiloOrder { Silo = change.Silo, Version = ++_version, Roles = change.To, By = OrderedBy.Planner };
            _changedAt.Add(now);
        }
    }
}
