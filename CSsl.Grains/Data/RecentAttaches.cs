namespace CSsl.Grains.Data;

/// <summary>
/// Which attach of which session was the newest here, for a while after it, as a server of 0-RTT data remembers ClientHellos (RFC 8446 section 8.2): what may be served
/// without a question to the cluster while it is fresh is served once. Thread-safe.
/// </summary>
internal sealed class RecentAttaches(TimeProvider time)
{
    /// <summary>Remembered for this long at least, and for twice as long at most.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private Dictionary<Guid, uint> _young = [];
    private Dictionary<Guid, uint> _old = [];
    private long _turnedAt = time.GetTimestamp();

    /// <summary>The newest attach that is remembered; 0: none.</summary>
    public uint Of(Guid sessionId)
    {
        lock (_gate)
            return Find(sessionId);
    }

    /// <summary>Notes an attach; false: there was one that is as new.</summary>
    public bool TryAdvance(Guid sessionId, uint generation)
    {
        lock (_gate)
        {
            if (Find(sessionId) >= generation)
                return false;
            _young[sessionId] = generation;
            return true;
        }
    }

    private uint Find(Guid sessionId)
    {
        var elapsed = time.GetElapsedTime(_turnedAt);
        if (elapsed >= Memory)
        {
            (_old, _young) = (elapsed < 2 * Memory ? _young : [], []);
            _turnedAt = time.GetTimestamp();
        }

        return _young.TryGetValue(sessionId, out var generation) ? generation : _old.GetValueOrDefault(sessionId);
    }
}
