namespace CSsl.Grains.Cluster;

/// <summary>When <see cref="RolePlanner"/> acts. Pressures are shares: 1 is a role whose silos have all that they can take.</summary>
public sealed record RolePlannerOptions
{
    /// <summary>Silos that keep the handshake role, whatever the load.</summary>
    public int MinimumHandshake { get; init; } = 1;

    /// <summary>Silos that keep the data role, whatever the load.</summary>
    public int MinimumData { get; init; } = 1;

    /// <summary>A role under this pressure needs more silos.</summary>
    public double Hot { get; init; } = 0.85;

    /// <summary>What a role should come to by getting silos, and may come to by giving them away. Well below <see cref="Hot"/>: so a move never makes the next one necessary.</summary>
    public double Target { get; init; } = 0.6;

    /// <summary>A role that would stay under this without the silos that were lent to it gives them back.</summary>
    public double Calm { get; init; } = 0.5;

    /// <summary>How long a role is hot before it gets silos: longer than one report, shorter than a client's patience.</summary>
    public TimeSpan Sustain { get; init; } = TimeSpan.FromSeconds(0.6);

    /// <summary>How long a role lacks silos before one is added. A restart under a supervisor takes longer than clients like to wait.</summary>
    public TimeSpan Missing { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After a change, how long its effect is waited for before the next.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How long a change that a silo does not make holds up the next.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a role is calm before it gives silos back. Doubles each time that this turns out to have been too early.</summary>
    public TimeSpan Return { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that <see cref="Return"/> gets.</summary>
    public TimeSpan LongestReturn { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Seconds that a handshake's step takes at a silo whose lanes are full.</summary>
    public double FullHandshakeTime { get; init; } = 0.020;

    /// <summary>A few steps that happen to be slow (a new process compiles its code) are no backlog.</summary>
    public int LeastBacklog { get; init; } = 8;

    /// <summary>Silos that keep <paramref name="role"/>.</summary>
    public int Minimum(SiloRoles role) => role == SiloRoles.Handshake ? MinimumHandshake : MinimumData;
}
