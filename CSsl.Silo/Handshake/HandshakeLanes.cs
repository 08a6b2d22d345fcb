using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Options;
using Orleans;

namespace CSsl.Silo.Handshake;

/// <summary>This silo's lanes: references to its own <see cref="IHandshakeGrain"/>s.</summary>
internal sealed class HandshakeLanes(IGrainFactory grains, IOptions<SiloOptions> options, HandshakeMetrics metrics)
{
    private readonly IHandshakeGrain[] _lanes =
    [
        .. Enumerable.Range(0, options.Value.LaneCount).Select(lane => grains.GetGrain<IHandshakeGrain>($"{options.Value.Name}/{lane}")),
    ];

    /// <summary>What they have done.</summary>
    public HandshakeMetrics Metrics { get; } = metrics;

    /// <summary>All of them.</summary>
    public IReadOnlyList<IHandshakeGrain> All => _lanes;

    /// <summary>The lane of a connection: the same for all its calls. Ids are random, so lanes fill evenly.</summary>
    public IHandshakeGrain Of(Guid handshakeId) => _lanes[(uint)handshakeId.GetHashCode() % (uint)_lanes.Length];
}
