namespace CSsl.Grains.Cluster;

/// <summary>
/// Who is in the cluster, by the reports that came in: the state of <see cref="ClusterGrain"/>, kept in memory only because
/// every process sends all of it again within half a second. Not thread-safe: a grain runs one turn at a time.
/// </summary>
internal sealed class ClusterRoster
{
    /// <summary>Without a report for so long, a process is shown as <see cref="SiloState.Silent"/> (four reports are missing).</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(2);

    /// <summary>Without a report for so long, it is forgotten; one that was draining, as soon as it is silent.</summary>
    public static readonly TimeSpan DropAfter = TimeSpan.FromSeconds(15);

    /// <summary>The most processes of one kind.</summary>
    public const int MaxMembers = 10_000;

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly RosterSection<SiloReport> _silos = new(static silo => silo with { State = SiloState.Silent }, static silo => IsLeaving(silo.State));
    private readonly RosterSection<GatewayReport> _gateways = new(static gateway => gateway with { State = SiloState.Silent }, static gateway => IsLeaving(gateway.State));
    private readonly OrderBook _orders;
    private ClusterView _view;
    private long _version;

    public ClusterRoster(TimeProvider time)
    {
        _time = time;
        _orders = new OrderBook(time);
        _startedAt = time.GetUtcNow();
        _version = _startedAt.UtcTicks;
        _view = new ClusterView { Version = _version, Settling = true };
    }

    /// <summary>What silos were ordered.</summary>
    public OrderBook Orders => _orders;

    /// <summary>Takes a report; one of an older incarnation than the known one is ignored.</summary>
    /// <exception cref="ArgumentException">The report can't be right.</exception>
    /// <exception cref="InvalidOperationException">There are too many processes.</exception>
    public void Report(SiloReport report)
    {
        ReportValidation.Check(report);
        _silos.Put(new Member<SiloReport>(report.Name, report.Incarnation, report.StartedAt, _time.GetUtcNow(), report));
        if (report.Order is { } order)
            _orders.Recall(order);
    }

    /// <inheritdoc cref="Report(SiloReport)"/>
    public void Report(GatewayReport report)
    {
        ReportValidation.Check(report);
        if (report.Memory is { } memory)
            _orders.Recall(memory);

        // What it told is in the view already, if it was news.
        report = report with { Memory = null };
        _gateways.Put(new Member<GatewayReport>(report.Name, report.Incarnation, report.StartedAt, _time.GetUtcNow(), report));
    }

    /// <summary>The view as of now; the same instance until something changes.</summary>
    public ClusterView View()
    {
        var now = _time.GetUtcNow();
        var settling = IsSettling(now);
        var changed = _silos.Age(now) | _gateways.Age(now);
        var silos = changed ? _silos.Snapshot() : _view.Silos;
        changed |= _orders.Age(silos);
        if (changed || settling != _view.Settling)
        {
            _view = new ClusterView
            {
                Version = ++_version,
                Silos = silos,
                Gateways = _gateways.Snapshot(),
                Settling = settling,
                Orders = _orders.Orders,
                Decisions = _orders.Decisions,
            };
        }

        return _view;
    }

    /// <summary>What a silo needs of the view, whatever the size of the cluster: that it is in it, and what it is to do.</summary>
    public ClusterView PartOf(string silo) => new()
    {
        Version = ++_version,
        Silos = _silos.Find(silo) is { } report ? [report] : [],
        Settling = IsSettling(_time.GetUtcNow()),
        Orders = _orders.For(silo) is { } order ? [order] : [],
    };

    private bool IsSettling(DateTimeOffset now) => now - _startedAt < SilentAfter;

    private static bool IsLeaving(SiloState state) => state is SiloState.Draining or SiloState.Drained;
}
