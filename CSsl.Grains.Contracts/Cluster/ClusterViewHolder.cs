namespace CSsl.Grains.Cluster;

/// <summary>This process's snapshot of the cluster. What the cluster grain pushes or answers comes here; everybody else reads. Thread-safe.</summary>
public sealed class ClusterViewHolder
{
    private readonly Lock _gate = new();
    private volatile ClusterView _current = ClusterView.Empty;
    private ViewVersion _expected;

    /// <summary>The newest view.</summary>
    public ClusterView Current => _current;

    /// <summary>A newer view is current. Raised in order, one at a time, on the updater's thread; handlers don't block.</summary>
    public event Action<ClusterView>? Changed;

    /// <summary>Takes a view, or a part of one, unless a newer one is here already.</summary>
    /// <remarks>A grain that was activated anew on another silo doesn't know everybody yet (<see cref="ClusterView.Settling"/>): until
    /// it can, who is missing in its view stays in ours as it was. A link that breaks tells sooner than the view who is dead.</remarks>
    public void Update(ClusterView view)
    {
        lock (_gate)
        {
            var known = _current;
            if (view.Version > known.Version)
                Set(view.Settling ? Merge(known, view) : view);
        }
    }

    /// <summary>Takes a change.</summary>
    /// <returns>False: something before it was missed, and the whole view must be asked for.</returns>
    public bool TryApply(ClusterViewChange change)
    {
        lock (_gate)
        {
            var known = _current;
            if (change.To <= known.Version)
                return true;

            // Who stayed here while the grain was young, and is not in its view, is in no change of it either.
            if (change.From != known.Version || (known.Settling && !change.Settling))
                return false;
            Set(change.Apply(known));
            return true;
        }
    }

    /// <summary>Takes the version that the cluster grain says we should have.</summary>
    /// <returns>True: it must be asked for, because a push was missed. One that is on its way since the last report is not missed yet.</returns>
    public bool IsBehind(ViewVersion expected)
    {
        lock (_gate)
        {
            var known = _current.Version;
            var wasExpected = _expected;
            _expected = expected;
            return expected > known && (expected.Epoch != known.Epoch || wasExpected > known);
        }
    }

    private void Set(ClusterView view)
    {
        _current = view;
        Changed?.Invoke(view);
    }

    private static ClusterView Merge(ClusterView known, ClusterView young) => young with
    {
        Silos = [.. young.Silos.UnionBy(known.Silos, static silo => silo.Name).OrderBy(static silo => silo.Name, StringComparer.Ordinal)],
        Gateways = [.. young.Gateways.UnionBy(known.Gateways, static gateway => gateway.Name).OrderBy(static gateway => gateway.Name, StringComparer.Ordinal)],
    };
}
