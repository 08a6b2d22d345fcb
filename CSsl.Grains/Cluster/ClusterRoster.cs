using Orleans.Runtime;

namespace CSsl.Grains.Cluster;

/// <summary>A new version of the view, and who is to hear of it.</summary>
/// <param name="Change">For every gateway.</param>
/// <param name="Parts">For those silos that it concerns.</param>
internal sealed record Publication(ClusterViewChange Change, IReadOnlyList<(ISiloObserver Observer, ClusterView Part)> Parts);

/// <summary>
/// Who is in the cluster and what they have to do: the part of <see cref="ClusterGrain"/> that is in memory only, because every process tells it again. Orleans's membership says
/// which silos live; gateways, which are Orleans's clients, live as long as they report. Not thread-safe: a grain runs one turn at a time.
/// </summary>
/// <remarks>Only differences of the clock are used, and only those of the monotonic one.</remarks>
internal sealed class ClusterRoster
{
    /// <summary>Without a report for so long, a gateway is shown as <see cref="SiloState.Silent"/>: three are missing.</summary>
    public static readonly TimeSpan SilentAfter = 3 * ReportChange.Renewal;

    /// <summary>Without a report for so long, it is forgotten; one that was draining, as soon as it is silent.</summary>
    public static readonly TimeSpan DropAfter = TimeSpan.FromSeconds(20);

    /// <summary>So long every process has to report to a grain that is young.</summary>
    public static readonly TimeSpan SettleTime = ReportChange.Renewal;

    /// <summary>So long a young grain waits for a silo that membership says is alive, and that does not report.</summary>
    public static readonly TimeSpan LongestSettleTime = TimeSpan.FromSeconds(10);

    /// <summary>The most processes of one kind.</summary>
    public const int MaxMembers = 10_000;

    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly RosterSection<SiloReport, ISiloObserver> _silos;
    private readonly RosterSection<GatewayReport, IGatewayObserver> _gateways;
    private readonly GatewayNames _names;
    private readonly Dictionary<string, ViewVersion> _partVersions = [];
    private ClusterMembershipSnapshot _membership;

    /// <param name="stored">The epoch of this activation, and what was ordered and decided before it.</param>
    /// <param name="membership">As of now.</param>
    /// <param name="time">The clock.</param>
    public ClusterRoster(ClusterState stored, ClusterMembershipSnapshot membership, TimeProvider time)
    {
        (_membership, _time, _startedAt) = (membership, time, time.GetTimestamp());
        _silos = new(ReportChange.PatienceFor, time);
        _gateways = new(ReportChange.PatienceFor, time);
        _names = new GatewayNames(time);
        Published = new ClusterView { Version = new ViewVersion(stored.Epoch, 0), Settling = true, Orders = stored.Orders, Decisions = stored.Decisions };
    }

    /// <summary>The view that gateways were pushed last.</summary>
    public ClusterView Published { get; private set; }

    /// <summary>True until everybody who lives has reported.</summary>
    public bool IsSettling { get; private set; } = true;

    /// <summary>How long what has not been published yet may still wait; null: there is nothing.</summary>
    public TimeSpan? PublishIn
    {
        get
        {
            if ((_silos.DueAt ?? _gateways.DueAt) is not { } due)
                return null;
            due = Math.Min(due, _gateways.DueAt ?? due);
            var now = _time.GetTimestamp();
            return due <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, due);
        }
    }

    /// <summary>Whom every change is pushed to.</summary>
    public IEnumerable<KnownGateway> KnownGateways => _gateways.Members.Where(static member => member.Observer is not null).Select(static member => new KnownGateway { Name = member.Name, Observer = member.Observer! });

    public IEnumerable<IGatewayObserver> GatewayObservers => _gateways.Members.Select(static member => member.Observer).OfType<IGatewayObserver>();

    /// <summary>Takes a report. That of a silo which is dead by membership, or has been followed by another run, is ignored.</summary>
    /// <returns>The version of its part that the silo should have.</returns>
    /// <exception cref="ArgumentException">The report can't be right.</exception>
    /// <exception cref="InvalidOperationException">There are too many processes.</exception>
    public ViewVersion Report(SiloReport report, ISiloObserver? observer)
    {
        ReportValidation.Check(report);
        var isLate = IsDead(report.Address) || _silos.Find(report.Name) is { } known && known.Report.Address.IsSuccessorOf(report.Address);
        if (!isLate)
            _silos.Put(new Member<SiloReport, ISiloObserver>(report.Name, report, observer, _time.GetTimestamp()));
        return _partVersions.GetValueOrDefault(report.Name);
    }

    /// <summary>Takes a report. That of a gateway which leaves, and has been followed by another run, is ignored.</summary>
    /// <returns>The version of the view that the gateway should have.</returns>
    /// <exception cref="DuplicateNameException">Another gateway has the name, and lives.</exception>
    /// <inheritdoc cref="Report(SiloReport, ISiloObserver?)"/>
    public ViewVersion Report(GatewayReport report, IGatewayObserver? observer)
    {
        ReportValidation.Check(report);
        if (_names.Claim(report, _gateways.Find(report.Name)?.Report))
            _gateways.Put(new Member<GatewayReport, IGatewayObserver>(report.Name, report, observer, _time.GetTimestamp()));
        return Published.Version;
    }

    /// <summary>Takes what Orleans says about who lives.</summary>
    public void Observe(ClusterMembershipSnapshot membership)
    {
        _membership = membership;
        foreach (var dead in _silos.Members.Where(member => IsDead(member.Report.Address)).ToList())
            _silos.Remove(dead.Name);
    }

    /// <summary>Shows gateways as silent, forgets them, and ends the settling, as time passes.</summary>
    public void Age()
    {
        var now = _time.GetTimestamp();
        foreach (var member in _gateways.Members.ToList())
        {
            var quiet = _time.GetElapsedTime(member.HeardAt, now);
            if (quiet >= DropAfter || quiet >= SilentAfter && member.Report.State == SiloState.Draining)
                _gateways.Remove(member.Name);
            else if (quiet >= SilentAfter && member.Report.State != SiloState.Silent)
                _gateways.Put(member with { Report = member.Report with { State = SiloState.Silent } });
        }

        _names.Age();
        var age = _time.GetElapsedTime(_startedAt, now);
        IsSettling = IsSettling && age < LongestSettleTime && (age < SettleTime || IsAnyoneMissing());
    }

    /// <summary>Everybody as they are now, whether it was published or not, with what they are to do.</summary>
    public ClusterView View(ClusterState state) => new()
    {
        Version = Published.Version,
        Silos = [.. _silos.Members.Select(static member => member.Report)],
        Gateways = [.. _gateways.Members.Select(static member => member.Report)],
        Settling = IsSettling,
        Orders = state.Orders,
        Decisions = state.Decisions,
        SealingKey = state.SealingKey,
    };

    /// <summary>A silo's part of the published view.</summary>
    public ClusterView PartOf(string silo) => new()
    {
        Version = _partVersions.TryGetValue(silo, out var version) ? version : Published.Version,
        Silos = _silos.FindPublished(silo) is { } report ? [report] : [],
        Settling = Published.Settling,
        Orders = Published.OrderFor(silo) is { } order ? [order] : [],
        SealingKey = Published.SealingKey,
    };

    /// <summary>Makes the next version of the view; null: nothing has changed.</summary>
    /// <param name="state">The orders and decisions as of now.</param>
    public Publication? Publish(ClusterState state)
    {
        var (silos, gateways, before) = (_silos.Publish(), _gateways.Publish(), Published);
        var change = new ClusterViewChange
        {
            From = before.Version,
            To = before.Version.Next,
            Silos = [.. silos.Changed.Select(static changed => changed.Report)],
            GoneSilos = silos.Gone,
            Gateways = [.. gateways.Changed.Select(static changed => changed.Report)],
            GoneGateways = gateways.Gone,
            Settling = IsSettling,
            Orders = ReferenceEquals(state.Orders, before.Orders) ? null : state.Orders,
            Decisions = ReferenceEquals(state.Decisions, before.Decisions) ? null : state.Decisions,
            SealingKey = state.SealingKey == before.SealingKey ? null : state.SealingKey,
        };
        if (change is { Silos.Count: 0, GoneSilos.Count: 0, Gateways.Count: 0, GoneGateways.Count: 0, Orders: null, Decisions: null, SealingKey: null } && change.Settling == before.Settling)
            return null;

        Published = change.Apply(before);
        foreach (var gone in silos.Gone)
            _partVersions.Remove(gone);
        var concerned = change.SealingKey is null ? Concerned(silos, before.Orders, change.Orders) : _silos.Members.Select(static silo => silo.Name);
        return new Publication(change, [.. concerned.Distinct().Select(Renew).OfType<(ISiloObserver, ClusterView)>()]);
    }

    /// <summary>Begins a new epoch: gateways and silos have views of one that is later than what was stored.</summary>
    public void Begin(long epoch)
    {
        Published = Published with { Version = new ViewVersion(epoch, 0) };
        foreach (var name in _partVersions.Keys.ToList())
            _partVersions[name] = Published.Version;
    }

    /// <summary>Names of the silos whose part has changed by more than the load.</summary>
    private static IEnumerable<string> Concerned(SectionChange<SiloReport> silos, IReadOnlyList<SiloOrder> before, IReadOnlyList<SiloOrder>? after)
    {
        var changed = silos.Changed.Where(static changed => changed.Before is null || ReportChange.PatienceFor(changed.Before, changed.Report) == ReportChange.Urgent).Select(static changed => changed.Report.Name);
        return after is null ? changed : changed.Concat(after.Except(before).Concat(before.Except(after)).Select(static order => order.Silo));
    }

    private (ISiloObserver Observer, ClusterView Part)? Renew(string silo)
    {
        if (_silos.Find(silo) is not { } member)
            return null;
        _partVersions[silo] = Published.Version;
        return member.Observer is { } observer ? (observer, PartOf(silo)) : null;
    }

    private bool IsDead(SiloAddress address) => _membership.GetSiloStatus(address) == SiloStatus.Dead;

    private bool IsAnyoneMissing()
    {
        var known = _silos.Members.Select(static member => member.Report.Address).ToHashSet();
        return _membership.Members.Values.Any(member => member.Status == SiloStatus.Active && !known.Contains(member.SiloAddress));
    }
}
