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

    /// <summary>How many silos its gateway had lost when it attached the session here. Grows over the session's life.</summary>
    int Takeovers { get; }

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

    /// <summary>Ends the session at once, so that nobody takes what was sent for the whole.</summary>
    void Abort(string reason);
}

/// <summary>The sessions that are awake on this silo, by id: the link's side of <see cref="SessionGrain"/>. Thread-safe.</summary>
public sealed class SessionTable
{
    private readonly ConcurrentDictionary<Guid, IServedSession> _sessions = new();

    public int Count => _sessions.Count;

    /// <summary>Puts a session in. One of the same id that is still there has lost its gateway, or will soon: the newer one wins and the older one is aborted.</summary>
    /// <remarks>What comes last need not be the newer: links are read each on its own, and on a lost one an attach may still wait.</remarks>
    /// <returns>False: the one that is there is newer, and <paramref name="session"/> is aborted.</returns>
    public bool Add(IServedSession session)
    {
        IServedSession? previous = null;
        var isNewer = session == _sessions.AddOrUpdate(session.Info.SessionId, session, (_, old) =>
        {
            previous = old;
            return old.Takeovers > session.Takeovers ? old : session;
        });
        (isNewer ? previous : session)?.Abort("the session was attached again");
        return isNewer;
    }

    /// <summary>Takes a session out, unless another one has its id by now.</summary>
    public void Remove(IServedSession session)
        => _sessions.TryRemove(KeyValuePair.Create(session.Info.SessionId, session));

    public bool TryGet(Guid sessionId, [NotNullWhen(true)] out IServedSession? session) => _sessions.TryGetValue(sessionId, out session);

    /// <summary>The sessions as they are now; others may come and go meanwhile.</summary>
    public IEnumerable<IServedSession> All => _sessions.Select(static entry => entry.Value);
}
