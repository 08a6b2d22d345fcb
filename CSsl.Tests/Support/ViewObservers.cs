using CSsl.Grains.Cluster;

namespace CSsl.Tests.Support;

/// <summary>A gateway that takes what is pushed, in the test's hand.</summary>
internal sealed class PushedGateway : IGatewayObserver
{
    public ClusterViewHolder View { get; } = new();

    public List<ClusterViewChange> Changes { get; } = [];

    /// <summary>True: the changes don't arrive.</summary>
    public bool IsDeaf { get; set; }

    public ValueTask ViewChanged(ClusterViewChange change)
    {
        lock (Changes)
            Changes.Add(change);
        if (!IsDeaf)
            View.TryApply(change);
        return ValueTask.CompletedTask;
    }
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
