using System.Collections.Concurrent;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>This silo's lanes: references to its own <see cref="IHandshakeGrain"/>s, and those of them that are active. Thread-safe.</summary>
public sealed class HandshakeLanes(IGrainFactory grains, IOptions<SiloOptions> options, HandshakeMetrics metrics)
{
    private readonly string[] _keys = [.. Enumerable.Range(0, options.Value.LaneCount).Select(lane => $"{options.Value.Name}/{lane}")];
    private readonly ConcurrentDictionary<string, IHandshakeLane> _active = [];

    /// <summary>What they have done.</summary>
    public HandshakeMetrics Metrics { get; } = metrics;

    /// <summary>References to all of them.</summary>
    public IEnumerable<IHandshakeGrain> All => _keys.Select(key => grains.GetGrain<IHandshakeGrain>(key));

    /// <summary>The lane of a connection: the same for all its steps. Ids are random, so lanes fill evenly.</summary>
    /// <returns>Null: nobody has called it yet, or it has retired.</returns>
    public IHandshakeLane? Of(Guid handshakeId) => Of(KeyOf(handshakeId));

    /// <summary>Calls the lane of a connection, and so activates it.</summary>
    /// <returns>Null: it has left again.</returns>
    public async ValueTask<IHandshakeLane?> OpenAsync(Guid handshakeId)
    {
        await grains.GetGrain<IHandshakeGrain>(KeyOf(handshakeId)).Open(CancellationToken.None);
        return Of(handshakeId);
    }

    internal IHandshakeLane? Of(string key) => _active.GetValueOrDefault(key);

    internal void Enter(string key, IHandshakeLane lane)
    {
        _active[key] = lane;
        Metrics.OpenLane();
    }

    internal void Leave(string key, IHandshakeLane lane)
    {
        _active.TryRemove(KeyValuePair.Create(key, lane));
        Metrics.CloseLane();
    }

    private string KeyOf(Guid handshakeId) => _keys[(uint)handshakeId.GetHashCode() % (uint)_keys.Length];
}
