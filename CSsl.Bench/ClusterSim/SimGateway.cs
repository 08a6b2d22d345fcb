using CSsl.Grains.Cluster;

namespace CSsl.Bench.ClusterSim;

/// <summary>A gateway: the real picker on its own snapshot of the view, and clients that wait for a place.</summary>
internal sealed class SimGateway : IDisposable
{
    /// <summary>Handshakes at once per handshake silo (the floor of the gateway's adaptive limit).</summary>
    private const int PerSilo = 64;

    /// <summary>How long a client may wait for a place, in seconds (Limits:HandshakeQueueTime).</summary>
    private const double Patience = 5;

    private readonly ClusterViewHolder _view = new();
    private int _places = PerSilo;

    public SimGateway(TimeProvider clock, Func<SiloReport, bool> reachable, int seed) => Picker = new SiloPicker(_view, reachable, clock, new Random(seed));

    public SiloPicker Picker { get; }

    /// <summary>When those came that wait; negative: nothing follows their handshake. As the gateway's own queue: newest first once the oldest has waited for a second.</summary>
    public LinkedList<double> Waiting { get; } = new();

    /// <summary>Takes who is next; who has waited for too long is refused.</summary>
    public double? Next(double now, ref long refused)
    {
        for (; Waiting.First is { } oldest && now - Math.Abs(oldest.Value) > Patience; refused++)
            Waiting.RemoveFirst();
        if (Waiting.First is not { } first)
            return null;

        var next = now - Math.Abs(first.Value) < Patience / 5 ? first : Waiting.Last!;
        Waiting.Remove(next);
        return next.Value;
    }

    /// <summary>What it says about itself.</summary>
    public GatewayReport Report(int index) => new()
    {
        Name = $"gateway-{index}",
        Incarnation = new Guid(index + 1, 0, 1, new byte[8]),
        ProcessId = index,
        State = SiloState.Active,
        Connections = 0,
        HandshakesPerSecond = 0,
        BytesPerSecond = 0,
        ResidentBytes = 0,
        StartedAt = DateTimeOffset.UnixEpoch,
        HandshakesInFlight = UnderWay,
        HandshakeQueue = Waiting.Count,
    };

    public int UnderWay { get; set; }

    public bool HasPlace => UnderWay < _places;

    public void Update(ClusterView view)
    {
        _view.Update(view);
        _places = PerSilo * Math.Max(1, view.Silos.Count(static silo => silo.State == SiloState.Active && silo.Roles.HasFlag(SiloRoles.Handshake)));
    }

    public void Dispose() => Picker.Dispose();
}
