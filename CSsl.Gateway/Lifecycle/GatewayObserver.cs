using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;

namespace CSsl.Gateway.Lifecycle;

/// <summary>This gateway, as the cluster pushes to it and asks it. Orleans holds it weakly: whoever made the reference to it keeps it.</summary>
internal sealed class GatewayObserver(ClusterViewHolder view, GatewaySessions sessions) : IGatewayObserver
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

    /// <inheritdoc/>
    public ValueTask<SessionList> ListSessions(SessionQuery query) => ValueTask.FromResult(sessions.List(query));

    /// <inheritdoc/>
    public ValueTask<SessionInfo?> FindSession(Guid sessionId) => ValueTask.FromResult(sessions.Find(sessionId));

    /// <inheritdoc/>
    public ValueTask<SessionMove> EndSession(Guid sessionId) => ValueTask.FromResult(sessions.End(sessionId) ? SessionMove.UnderWay : SessionMove.Unknown);

    /// <inheritdoc/>
    public ValueTask<SessionMove> MoveSession(Guid sessionId, string silo) => ValueTask.FromResult(sessions.Move(sessionId, silo));
}
