namespace CSsl.Grains.Cluster;

/// <summary>
/// Who is in the cluster, by the reports that came in: the state of <see cref="ClusterGrain"/>, kept in memory only because
/// every process sends all of it again within half a second. Not thread-safe: a grain runs one turn at a time.
/// </summary>
internal sealed class ClusterRoster
{
    /// <summary>Without a report for so long, a process is shown as <see cref="SiloState.Silent"/> (four reports are missing).</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(2);

    /// <summary>Without a report for so long, it is forgotten.</summary>
    public static readonly TimeSpan DropAfter = TimeSpan.FromSeconds(15);

    /// <summary>The most processes of one kind.</summary>
    public const int MaxMembers = 10_000;

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _startedAt;
    private readonly RosterSection<SiloReport> _silos = new(static silo => silo with { State = SiloState.Silent });
    private readonly RosterSection<GatewayReport> _gateways = new(static gateway => gateway with { State = SiloState.Silent });
    private ClusterView _view;

    public ClusterRoster(TimeProvider time)
    {
        _time = time;
        _startedAt = time.GetUtcNow();
        _view = new ClusterView { Version = _startedAt.UtcTicks, Settling = true };
    }

    /// <summary>Takes a report; one of an older incarnation than the known one is ignored.</summary>
    /// <exception cref="ArgumentException">The report can't be right.</exception>
    /// <exception cref="InvalidOperationException">There are too many processes.</exception>
    public void Report(SiloReport report)
    {
        ReportValidation.Check(report);
        _silos.Put(new Member<SiloReport>(report.Name, report.Incarnation, report.StartedAt, _time.GetUtcNow(), report));
    }

    /// <inheritdoc cref="Report(SiloReport)"/>
    public void Report(GatewayReport report)
    {
        ReportValidation.Check(report);
        _gateways.Put(new Member<GatewayReport>(report.Name, report.Incarnation, report.StartedAt, _time.GetUtcNow(), report));
    }

    /// <summary>The view as of now; the same instance until something changes.</summary>
    public ClusterView View()
    {
        var now = _time.GetUtcNow();
        var settling = now - _startedAt < SilentAfter;
        var changed = _silos.Age(now) | _gateways.Age(now);
        if (changed || settling != _view.Settling)
            _view = new ClusterView { Version = _view.Version + 1, Silos = _silos.Snapshot(), Gateways = _gateways.Snapshot(), Settling = settling };
        return _view;
    }
}
