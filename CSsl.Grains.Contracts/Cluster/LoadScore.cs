namespace CSsl.Grains.Cluster;

/// <summary>How busy a silo is for a role, as one number: the lower, the better.</summary>
/// <remarks>
/// The unit is the share of a machine. The machine's CPU says how much there is left, whatever its size, or the silo's own where a quota leaves it
/// less; on one machine the silos differ by their own CPU, in cores, which weighs little enough not to punish a silo for having a big machine. CPU is known half a second late,
/// so work under way and work just given (<see cref="PerChoice"/>) count beside it: they decide between silos that were equally busy.
/// </remarks>
public static class LoadScore
{
    private const double PerCore = 0.02;
    private const double PerHandshakeInFlight = 0.0005;
    private const double PerConnection = 0.00002;
    private const double PerByteRate = 0.01 / 1e9;

    /// <summary>The score for one role of a silo with that load.</summary>
    public static double Of(SiloLoad load, SiloRoles role)
    {
        var busy = Math.Max(load.MachineCpu, load.Utilisation) + (load.ProcessCpu * PerCore);
        return role == SiloRoles.Handshake
            ? busy + (load.HandshakesInFlight * PerHandshakeInFlight)
            : busy + (load.Connections * PerConnection) + (load.BytesPerSecond * PerByteRate);
    }

    /// <summary>The most that a choice may count for: few of them say nothing about what one costs.</summary>
    public const double MostPerChoice = 0.02;

    /// <summary>The least that one connection adds that the silo was chosen for and has not reported yet.</summary>
    public static double PerChoice(SiloRoles role) => role == SiloRoles.Handshake ? PerHandshakeInFlight : 10 * PerConnection;
}
