using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace CSsl.Grains.Data;

/// <summary>A session that this silo serves.</summary>
public interface IServedSession
{
    SessionInfo Info { get; }

    /// <summary>The session as of the attach or the last checkpoint that changed it, sealed.</summary>
    ReadOnlyMemory<byte> Capsule { get; }

    /// <summary>There is a grain for the session, here, and it knows all of this. The grain says so when it has been told and when it is deactivated; the session when it has changed.</summary>
    bool IsRegistered { get; set; }

    /// <summary>The gateway attached it after a loss, or in the middle.</summary>
    bool IsTakeover { get; }

    /// <summary>Nothing is served under this attach any more.</summary>
    bool IsOver { get; }

    /// <summary>Number of the client's next record to be opened here.</summary>
    ulong ClientRecords { get; }

    /// <summary>How long nothing was sent since the application is done with the session; zero while it is not.</summary>
    TimeSpan Stalled { get; }

    /// <summary>Asks the application to finish: what is under way goes on, then close_notify.</summary>
    void RequestClose();

    /// <summary>The silo drains: the session leaves as soon as nothing is under way, or, where it can't, ends in order.</summary>
    void Drain();

    /// <summary>The drain has lasted long enough: what was upgraded to another protocol, such as a WebSocket, ends with close_notify. Others go on as <see cref="Drain"/> says.</summary>
    void EndUpgraded();

    /// <summary>Lets the session sleep at its gateway if nothing has been under way for <paramref name="idleTime"/>.</summary>
    void Hibernate(TimeSpan idleTime);

    /// <summary>The cluster seals under another key: as soon as nothing is under way, the gateway gets the capsule sealed anew. Sessions that can't leave keep theirs, which nobody will ask for.</summary>
    void RenewCapsule();

    /// <summary>Lets the session go on at another silo: now if nothing is under way or it can be continued in the middle, or else as soon as it can leave.</summary>
    SessionMove Move(string silo);

    /// <summary>There is a newer attach of the session: no record is opened or sealed under this one when the call returns.</summary>
    void Supersede();

    /// <summary>Ends the session at once, so that nobody takes what was sent for the whole.</summary>
    void Abort(string reason);
}

/// <summary>The sessions that are awake on this silo, by id: the link's side of <see cref="SessionGrain"/>. Thread-safe.</summary>
/// <param name="time">Null for the system's.</param>
public sealed class SessionTable(TimeProvider? time = null)
{
    private readonly ConcurrentDictionary<Guid, IServedSession> _sessions = new();
    private readonly RecentAttaches _recent = new(time ?? TimeProvider.System);

    public int Count => _sessions.Count;

    /// <summary>Puts a session in. One of the same id that is still there has lost its gateway, or will soon: the newer attach wins and the older one is stopped.</summary>
    /// <remarks>What comes last need not be the newer: links are read each on its own, and on a lost one an attach may still wait.</remarks>
    /// <returns>False: there is, or was a moment ago, one that is as new, and <paramref name="session"/> is stopped.</returns>
    public bool Add(IServedSession session)
    {
        IServedSession? previous = null;
        var isNewer = _recent.TryAdvance(session.Info.SessionId, session.Info.Generation)
            && session == _sessions.AddOrUpdate(session.Info.SessionId, session, (_, old) =>
            {
                previous = old;
                return old.Info.Generation >= session.Info.Generation ? old : session;
            });
        (isNewer ? previous : session)?.Supersede();
        return isNewer;
    }

    /// <summary>The newest attach of a session that was here in the last <see cref="RecentAttaches.Memory"/>, whatever became of it; 0: none.</summary>
    public uint LastGeneration(Guid sessionId) => _recent.Of(sessionId);

    /// <summary>Takes a session out, unless another one has its id by now.</summary>
    public void Remove(IServedSession session)
        => _sessions.TryRemove(KeyValuePair.Create(session.Info.SessionId, session));

    public bool TryGet(Guid sessionId, [NotNullWhen(true)] out IServedSession? session) => _sessions.TryGetValue(sessionId, out session);

    /// <summary>The sessions as they are now; others may come and go meanwhile.</summary>
    public IEnumerable<IServedSession> All => _sessions.Select(static entry => entry.Value);
}
