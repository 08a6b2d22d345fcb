namespace CSsl.Grains.Cluster;

/// <summary>
/// The orders that silos were given, and the last decisions about roles: part of the state of <see cref="ClusterGrain"/>. In memory only:
/// every silo reports the order that it acts on, and gateways tell a young grain what they have seen. Not thread-safe.
/// </summary>
internal sealed class OrderBook(TimeProvider time)
{
    /// <summary>The order for a silo that has been away for so long is forgotten.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromHours(1);

    /// <summary>How far another machine's clock may be ahead of ours.</summary>
    private static readonly TimeSpan MaxAhead = TimeSpan.FromDays(1);

    /// <summary>Decisions that are kept.</summary>
    public const int MaxDecisions = 16;

    private readonly SortedDictionary<string, Entry> _orders = new(StringComparer.Ordinal);
    private readonly List<RoleDecision> _decisions = [];
    private long _lastVersion;
    private bool _changed;

    /// <summary>All orders, by silo.</summary>
    public SiloOrder[] Orders => [.. _orders.Values.Select(static entry => entry.Order)];

    /// <summary>The order for a silo; null when there is none.</summary>
    public SiloOrder? For(string silo) => _orders.TryGetValue(silo, out var entry) ? entry.Order : null;

    /// <summary>Oldest first.</summary>
    public RoleDecision[] Decisions => [.. _decisions];

    /// <summary>Changes what a silo is to do.</summary>
    /// <param name="silo">Its name.</param>
    /// <param name="change">Makes the next order of the one before; its version is set here.</param>
    public SiloOrder Give(string silo, Func<SiloOrder, SiloOrder> change)
    {
        var known = _orders.TryGetValue(silo, out var entry) ? entry.Order : new SiloOrder { Silo = silo, Version = 0 };
        _lastVersion = Math.Max(time.GetUtcNow().UtcTicks, _lastVersion + 1);
        var order = change(known) with { Version = _lastVersion };
        Put(order);
        return order;
    }

    /// <summary>Takes an order that a silo acts on, or that a gateway has seen, if it is newer than what is known here.</summary>
    public void Recall(SiloOrder order)
    {
        // From a clock that is wrong beyond reason: no later order could ever overrule it.
        if (order.Version > (time.GetUtcNow() + MaxAhead).UtcTicks)
            return;
        if (_orders.TryGetValue(order.Silo, out var known) ? known.Order.Version >= order.Version : _orders.Count >= ClusterRoster.MaxMembers)
            return;
        Put(order);
    }

    /// <summary>Takes what a gateway has seen.</summary>
    public void Recall(ClusterMemory memory)
    {
        foreach (var order in memory.Orders)
            Recall(order);
        foreach (var decision in memory.Decisions.Except(_decisions).ToList())
            Note(decision);
    }

    /// <summary>Keeps a decision, for a while.</summary>
    public void Note(RoleDecision decision)
    {
        var at = _decisions.FindLastIndex(other => other.At <= decision.At) + 1;
        _decisions.Insert(at, decision);
        if (_decisions.Count > MaxDecisions)
            _decisions.RemoveAt(0);
        _changed = true;
    }

    /// <summary>Forgets orders whose silo has been away for long, and drains of runs that are over. True when anything changed since the last call.</summary>
    public bool Age(IReadOnlyList<SiloReport> silos)
    {
        var now = time.GetUtcNow();
        foreach (var silo in silos)
        {
            if (!_orders.TryGetValue(silo.Name, out var entry))
                continue;
            entry.SeenAt = now;
            if (entry.Order.Drain is { } drained && drained != silo.Incarnation)
                Put(entry.Order with { Drain = null });
        }

        foreach (var gone in _orders.Where(entry => now - entry.Value.SeenAt >= KeepFor).Select(static entry => entry.Key).ToList())
            _changed |= _orders.Remove(gone);
        var changed = _changed;
        _changed = false;
        return changed;
    }

    private void Put(SiloOrder order)
    {
        _orders[order.Silo] = new Entry(order, time.GetUtcNow());
        _lastVersion = Math.Max(_lastVersion, order.Version);
        _changed = true;
    }

    private sealed class Entry(SiloOrder order, DateTimeOffset seenAt)
    {
        public SiloOrder Order { get; } = order;

        public DateTimeOffset SeenAt { get; set; } = seenAt;
    }
}
