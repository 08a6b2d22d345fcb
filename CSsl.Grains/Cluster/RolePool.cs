namespace CSsl.Grains.Cluster;

/// <summary>The silos that serve one role, and how hard that is for them.</summary>
internal sealed class RolePool
{
    /// <summary>A backlog says that there is too little, not quite how much too little: it counts as this at most.</summary>
    private const double MaxPressure = 4;

    private readonly RolePlannerOptions _options;

    public RolePool(SiloRoles role, ClusterView view, DesiredState desired, RolePlannerOptions options)
    {
        (Role, _options) = (role, options);
        Silos = [.. view.Silos.Where(silo => desired.Serves(silo, role))];
        Pressure = Silos.Count == 0 ? 0 : Math.Max(Silos.Average(PressureOf), role == SiloRoles.Handshake ? PressureOfWaiting(view) : 0);
    }

    public SiloRoles Role { get; }

    public IReadOnlyList<SiloReport> Silos { get; }

    public int Count => Silos.Count;

    public int Minimum => _options.Minimum(Role);

    /// <summary>The mean over its silos.</summary>
    public double Pressure { get; }

    public bool IsHot => Pressure >= _options.Hot;

    /// <summary>How many more it takes to come to the target, at most three times as many as there are: what a full pool needs can't be seen well before it has it.</summary>
    public int Wanted => Math.Clamp((int)Math.Ceiling(Count * Pressure / _options.Target) - Count, 1, Math.Max(1, 3 * Count));

    /// <summary>How many it can give away and stay at or below <paramref name="pressure"/> and above its minimum.</summary>
    public int Spare(double pressure) => Math.Max(0, Count - Math.Max(Minimum, (int)Math.Ceiling((Count * Pressure / pressure) - 1e-9)));

    /// <summary>Clients that wait for handshake silos at the gateways: not for the CPU of something else, which more of these silos would not help.</summary>
    public static int WaitingIn(ClusterView view) => view.Gateways.Where(static gateway => gateway is { State: not SiloState.Silent, HandshakePace: null }).Sum(static gateway => gateway.HandshakeQueue);

    /// <summary>For a reason: "2 handshake silos at 140 %".</summary>
    public override string ToString()
        => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Count} {CommandCheck.Name(Role)} silo{(Count == 1 ? "" : "s")} at {Pressure * 100:0} %");

    /// <summary>Clients that gateways hold back because the silos are slow: a backlog that the silos don't see. Work for half a second of it is as much again as there is.</summary>
    private double PressureOfWaiting(ClusterView view)
    {
        var waiting = WaitingIn(view);
        var rate = Silos.Sum(static silo => silo.Load.HandshakesPerSecond);
        return waiting < _options.LeastBacklog ? 0 : Math.Min(MaxPressure, 1 + (waiting / Math.Max(1, rate * 0.5)));
    }

    private double PressureOf(SiloReport silo)
    {
        var load = silo.Load;
        if (Role == SiloRoles.Data)
            return Math.Min(MaxPressure, load.Pressure);
        var backlog = QueueOf(load) >= _options.LeastBacklog ? load.HandshakeTime / _options.FullHandshakeTime : 0;
        return Math.Max(load.Utilisation, Math.Min(MaxPressure, backlog));
    }

    // What was there when the report was made says little about the half second before: by Little's law that is rate times time.
    private static double QueueOf(SiloLoad load) => Math.Max(load.HandshakeQueue, load.HandshakesPerSecond * load.HandshakeTime);
}
