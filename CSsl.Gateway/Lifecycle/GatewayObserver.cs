using CSsl.Grains.Cluster;

namespace CSsl.Gateway.Lifecycle;

/// <summary>This gateway, as the cluster pushes to it. Orleans holds it weakly: whoever made the reference to it keeps it.</summary>
internal sealed class GatewayObserver(ClusterViewHolder view) : IGatewayObserver
{
    private volatile bool _hasMissed;

    /// <summary>True once after a push was missed: the view must be asked for.</summary>
    public bool TakeMissed()
    {
        var missed = _hasMissed;
        _hasMissed = false;
        return missed;
    }

    /// <inheritdoc/>
    public ValueTask ViewChanged(ClusterViewChange change)
    {
        if (!view.TryApply(change))
            _hasMissed = true;
        return ValueTask.CompletedTask;
    }
}
