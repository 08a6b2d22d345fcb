namespace CSsl.Bench.ClusterSim;

/// <summary>What a simulated cluster is put to.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Load">Of all cores, in the mean, before anything happens.</param>
internal sealed record Scenario(string Name, double Load)
{
    /// <summary>When it happens, in seconds.</summary>
    public double From { get; init; } = 5;

    /// <summary>When it is over.</summary>
    public double To { get; init; } = 15;

    /// <summary>When the simulation ends.</summary>
    public double End { get; init; } = 20;

    /// <summary>Handshakes without a download, as a multiple of what the handshake silos of the start can do.</summary>
    public double Storm { get; init; }

    /// <summary>Downloads on connections that exist, as a share of all cores.</summary>
    public double Flood { get; init; }

    /// <summary>The share of the silos that die in each second.</summary>
    public double CrashRate { get; init; }

    /// <summary>How many times the share of the handshake silos is what their load asks for.</summary>
    public double HandshakeSilos { get; init; } = 1;

    public static Scenario[] All { get; } =
    [
        new("steady", 0.6),
        new("handshake storm", 0.35) { Storm = 4 },
        new("bulk flood", 0.3) { Flood = 0.35, HandshakeSilos = 20 },
        new("rolling crash", 0.5) { CrashRate = 0.02 },
    ];

    public bool IsOn(double now) => now >= From && now < To;
}
