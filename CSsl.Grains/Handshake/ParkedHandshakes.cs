using System.Collections.Concurrent;

namespace CSsl.Grains.Handshake;

/// <summary>
/// Unfinished handshakes of this silo's lanes that were deactivated: Orleans does that to every grain whose directory entry was kept by a silo that
/// leaves. The lane's next activation, on this silo as ever, goes on with them. Thread-safe.
/// </summary>
public sealed class ParkedHandshakes : IDisposable
{
    private readonly ConcurrentDictionary<Guid, PendingHandshake> _parked = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var id in _parked.Keys)
            Take(id)?.Dispose();
    }

    /// <summary>Takes a handshake over from a lane, which no longer may use it.</summary>
    internal void Park(Guid id, PendingHandshake pending) => _parked[id] = pending;

    /// <summary>Gives a handshake to whoever calls first; null when there is none of that id.</summary>
    internal PendingHandshake? Take(Guid id) => _parked.TryRemove(id, out var pending) ? pending : null;

    /// <summary>The handshakes whose deadline has passed.</summary>
    internal IEnumerable<Guid> Late(DateTimeOffset now) => _parked.Where(entry => now >= entry.Value.Deadline).Select(static entry => entry.Key);
}
