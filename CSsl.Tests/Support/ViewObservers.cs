using CSsl.Grains.Cluster;

namespace CSsl.Tests.Support;

/// <summary>A gateway that takes what is pushed, in the test's hand.</summary>
internal sealed class PushedGateway : IGatewayObserver
{
    private bool _hasMissed;

    public ClusterViewHolder View { get; } = new();

    public List<ClusterViewChange> Changes { get; } = [];

    public ValueTask ViewChanged(ClusterViewChange change)
    {
        lock (Changes)
            Changes.Add(change);
        if (!View.TryApply(change))
            _hasMissed = true;
        return ValueTask.CompletedTask;
    }

    /// <summary>True once after a change that was for another view.</summary>
    public bool TakeMissed() => Interlocked.Exchange(ref _hasMissed, false);
}

/// <summary>A silo that takes what is pushed, in the test's hand.</summary>
internal sealed class PushedSilo : ISiloObserver
{
    public ClusterViewHolder View { get; } = new();

    public List<ClusterView> Parts { get; } = [];

    public ValueTask PartChanged(ClusterView part)
    {
        lock (Parts)
            Parts.Add(part);
        View.Update(part);
        return ValueTask.CompletedTask;
    }
}
