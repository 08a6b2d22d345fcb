using CSsl.Grains.Cluster;
using CSsl.Grains.Data;

namespace CSsl.Tests.Support;

/// <summary>A gateway that takes what is pushed, in the test's hand.</summary>
internal sealed class PushedGateway : IGatewayObserver
{
    private readonly TaskCompletionSource<SessionList> _unanswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
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

    /// <summary>What it says when it is asked for a list; null: it does not answer.</summary>
    public SessionList? Sessions { get; set; } = new();

    public ValueTask<SessionList> ListSessions(SessionQuery query) => Sessions is { } list ? ValueTask.FromResult(list) : new(_unanswered.Task);

    /// <summary>Answers what it did not: nobody waits for it any more, but a silo that stops would.</summary>
    public void EndSilence() => _unanswered.TrySetResult(new SessionList());

    public ValueTask<SessionInfo?> FindSession(Guid sessionId) => ValueTask.FromResult(Sessions?.Sessions.FirstOrDefault(session => session.SessionId == sessionId));

    public ValueTask<SessionMove> EndSession(Guid sessionId) => ValueTask.FromResult(Sessions?.Sessions.Any(session => session.SessionId == sessionId) == true ? SessionMove.UnderWay : SessionMove.Unknown);

    public ValueTask<SessionMove> MoveSession(Guid sessionId, string silo) => EndSession(sessionId);
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
