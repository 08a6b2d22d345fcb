namespace CSsl.Grains.Cluster;

/// <summary>The orders that silos were given, and the last decisions about roles: what <see cref="ClusterGrain"/> stores. Not thread-safe.</summary>
/// <param name="stored">As it was read.</param>
/// <param name="time">The clock, of which only differences are used.</param>
internal sealed class OrderBook(ClusterState stored, TimeProvider time)
{
    /// <summary>The order for a silo that has been away for so long is forgotten.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromHours(1);

    /// <summary>Decisions that are kept.</summary>
    public const int MaxDecisions = 16;

    private readonly Dictionary<string, long> _seenAt = [];

    /// <summary>All of it: what is to be stored. Another instance after each change.</summary>
    public ClusterState State { get; set; } = stored;

    /// <summary>All orders, by silo.</summary>
    public IReadOnlyList<SiloOrder> Orders => State.Orders;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<RoleDecision> Decisions => State.Decisions;

    /// <summary>Changes what a silo is to do.</summary>
    /// <param name="silo">Its name.</param>
    /// <param name="change">Makes the next order of the one before; its version is set here.</param>
    public SiloOrder Give(string silo, Func<SiloOrder, SiloOrder> change)
    {
        var known = State.Orders.FirstOrDefault(order => order.Silo == silo) ?? new SiloOrder { Silo = silo, Version = 0 };
        var order = change(known) with { Version = State.LastOrder + 1 };
        State = State with { LastOrder = order.Version, Orders = With(order) };
        return order;
    }

    /// <summary>Keeps a decision, for a while.</summary>
    public void Note(RoleDecision decision) => State = State with { Decisions = [.. State.Decisions.TakeLast(MaxDecisions - 1), decision] };

    /// <summary>Forgets orders whose silo has been away for long, and drains of runs that are over.</summary>
    public void Age(IReadOnlyList<SiloReport> silos)
    {
        var now = time.GetTimestamp();
        var present = silos.ToDictionary(static silo => silo.Name);
        foreach (var order in State.Orders)
        {
            if (present.TryGetValue(order.Silo, out var silo))
            {
                _seenAt[order.Silo] = now;
                if (order.Drain is { } drained && drained != silo.Incarnation)
                    State = State with { Orders = With(order with { Drain = null }) };
            }
            else if (!_seenAt.TryAdd(order.Silo, now) && time.GetElapsedTime(_seenAt[order.Silo], now) >= KeepFor)
            {
                _seenAt.Remove(order.Silo);
                State = State with { Orders = [.. State.Orders.Where(other => other.Silo != order.Silo)] };
            }
        }
    }

    private SiloOrder[] With(SiloOrder order)
        => [.. State.Orders.Where(other => other.Silo != order.Silo).Append(order).OrderBy(static other => other.Silo, StringComparer.Ordinal)];
}
