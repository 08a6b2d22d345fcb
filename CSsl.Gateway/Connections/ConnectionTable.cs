using System.Collections.Concurrent;
using CSsl.Hosting.Configuration;

namespace CSsl.Gateway.Connections;

/// <summary>The client connections of this gateway, at most Limits:Connections. Thread-safe.</summary>
internal sealed class ConnectionTable(LimitsOptions limits)
{
    private readonly ConcurrentDictionary<ulong, ClientConnection> _connections = new();
    private int _count;
    private ulong _lastId;
    private volatile bool _isDraining;

    /// <summary>Connections that are open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Every connection that came is to be finished (<see cref="ClientConnection.Finish"/>), and those that come are too.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>The connections now.</summary>
    public IReadOnlyCollection<ClientConnection> All => [.. _connections.Values];

    /// <summary>A number for a new connection; 0 when there are too many. <see cref="Leave"/> gives the place back.</summary>
    public ulong TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= limits.Connections)
            return Interlocked.Increment(ref _lastId);

        Interlocked.Decrement(ref _count);
        return 0;
    }

    /// <summary>The connection can be found from here on.</summary>
    public void Add(ClientConnection connection) => _connections[connection.Entry.Id] = connection;

    /// <summary>The connection with that number; null when there is none.</summary>
    public ClientConnection? Find(ulong id) => _connections.GetValueOrDefault(id);

    /// <summary>Gives the place back that <see cref="TryEnter"/> gave.</summary>
    public void Leave(ulong id)
    {
        _connections.TryRemove(id, out _);
        Interlocked.Decrement(ref _count);
    }

    /// <summary>From here on <see cref="IsDraining"/>.</summary>
    public void BeginDrain() => _isDraining = true;

    /// <summary>Ends every connection, without waiting.</summary>
    public void ResetAll(RefusalReason reason)
    {
        foreach (var connection in _connections.Values)
            connection.Reset(reason);
    }
}
