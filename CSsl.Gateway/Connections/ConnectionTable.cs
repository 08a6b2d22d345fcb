using System.Collections.Concurrent;
using CSsl.Link;

namespace CSsl.Gateway.Connections;

/// <summary>The client connections of this gateway. Thread-safe.</summary>
/// <param name="capacity">How many there is room for.</param>
internal sealed class ConnectionTable(int capacity)
{
    private readonly ConcurrentDictionary<ulong, ClientConnection> _connections = new();
    private readonly Places _places = new(capacity);
    private ulong _lastId;
    private volatile bool _isDraining;

    /// <summary>Connections that are open.</summary>
    public int Count => _places.Taken;

    /// <summary>How many there is room for.</summary>
    public int Capacity => capacity;

    /// <summary>Every connection that came is to be finished (<see cref="ClientConnection.Finish"/>), and those that come are too.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>The connections now; others may come and go meanwhile.</summary>
    public IEnumerable<ClientConnection> All => _connections.Select(static entry => entry.Value);

    /// <summary>Completes when there is room for one more.</summary>
    public Task WhenRoomAsync() => _places.WhenFreeAsync();

    /// <summary>A connection was accepted, and takes its place; <see cref="Leave"/> gives it back.</summary>
    /// <returns>A number for it.</returns>
    public ulong Enter()
    {
        _places.Take();
        return Interlocked.Increment(ref _lastId);
    }

    /// <summary>The connection can be found from here on.</summary>
    public void Add(ClientConnection connection) => _connections[connection.Entry.Id] = connection;

    /// <summary>The connection with that number; null when there is none.</summary>
    public ClientConnection? Find(ulong id) => _connections.GetValueOrDefault(id);

    /// <summary>Gives the place back that <see cref="Enter"/> gave. The socket is closed: its descriptor is free.</summary>
    public void Leave(ulong id)
    {
        _connections.TryRemove(id, out _);
        _places.Leave();
    }

    /// <summary>From here on <see cref="IsDraining"/>.</summary>
    public void BeginDrain() => _isDraining = true;

    /// <summary>Ends every connection, without waiting.</summary>
    public void ResetAll(RefusalReason reason)
    {
        foreach (var (_, connection) in _connections)
            connection.Reset(reason);
    }
}
