namespace CSsl.Grains.Cluster;

/// <summary>This process's snapshot of the cluster. Whoever reports to the cluster grain puts the answer here; everybody else reads. Thread-safe.</summary>
public sealed class ClusterViewHolder
{
    private readonly Lock _gate = new();
    private volatile ClusterView _current = ClusterView.Empty;

    /// <summary>The newest view.</summary>
    public ClusterView Current => _current;

    /// <summary>A newer view is current. Raised in order, one at a time, on the updater's thread; handlers don't block.</summary>
    public event Action<ClusterView>? Changed;

    /// <summary>Takes an answer of the cluster grain, unless a newer one is here already.</summary>
    /// <remarks>A grain that was activated anew on another silo doesn't know everybody yet (<see cref="ClusterView.Settling"/>): until
    /// it can, who is missing in its view stays in ours as it was. A link that breaks tells sooner than the view who is dead.</remarks>
    public void Update(ClusterView view)
    {
        lock (_gate)
        {
            var known = _current;
            if (view.Version <= known.Version)
                return;

            _current = view = view.Settling ? Merge(known, view) : view;
            Changed?.Invoke(view);
        }
    }

    private static ClusterView Merge(ClusterView known, ClusterView young) => young with
    {
        Silos = [.. young.Silos.UnionBy(known.Silos, static silo => silo.Name).OrderBy(static silo => silo.Name, StringComparer.Ordinal)],
        Gateways = [.. young.Gateways.UnionBy(known.Gateways, static gateway => gateway.Name).OrderBy(static gateway => gateway.Name, StringComparer.Ordinal)],
        Orders = [.. young.Orders.Concat(known.Orders).GroupBy(static order => order.Silo).Select(static orders => orders.MaxBy(static order => order.Version)!)],
        Decisions = young.Decisions.Count > 0 ? young.Decisions : known.Decisions,
    };
}
