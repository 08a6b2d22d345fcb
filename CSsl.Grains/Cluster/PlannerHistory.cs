namespace CSsl.Grains.Cluster;

/// <summary>What <see cref="RolePlanner"/> remembers from one call to the next. Immutable.</summary>
public sealed record PlannerHistory
{
    /// <summary>Nothing seen yet.</summary>
    public static PlannerHistory Empty { get; } = new();

    public RoleHistory Handshake { get; init; } = RoleHistory.Empty;

    public RoleHistory Data { get; init; } = RoleHistory.Empty;

    /// <summary>When roles were changed last.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>Clients that waited at the gateways a moment ago, to see whether they become fewer.</summary>
    public int Waiting { get; init; }

    /// <summary>When that was.</summary>
    public DateTimeOffset WaitingAt { get; init; }

    /// <summary>They do.</summary>
    public bool IsCatchingUp { get; init; }

    /// <summary>The history of one role.</summary>
    public RoleHistory Of(SiloRoles role) => role == SiloRoles.Handshake ? Handshake : Data;

    /// <summary>With another history of one role.</summary>
    public PlannerHistory With(SiloRoles role, RoleHistory history)
        => role == SiloRoles.Handshake ? this with { Handshake = history } : this with { Data = history };
}

/// <summary>How long a role has been in a state; null: it is not.</summary>
public sealed record RoleHistory
{
    public static RoleHistory Empty { get; } = new();

    public DateTimeOffset? HotSince { get; init; }

    public DateTimeOffset? CalmSince { get; init; }

    public DateTimeOffset? MissingSince { get; init; }

    /// <summary>When it gave silos back last.</summary>
    public DateTimeOffset? ReturnedAt { get; init; }

    /// <summary>How often that was too early, one time after the other.</summary>
    public int EarlyReturns { get; init; }
}

/// <summary>A change of one silo's roles.</summary>
/// <param name="Silo">Its name.</param>
/// <param name="From">What it does.</param>
/// <param name="To">What it is to do.</param>
/// <param name="Reason">Why, for people.</param>
public sealed record RoleChange(string Silo, SiloRoles From, SiloRoles To, string Reason);

/// <summary>What the planner wants, and what it wants to be told at the next call.</summary>
/// <param name="Changes">Empty nearly always.</param>
/// <param name="History">For the next call.</param>
public sealed record RolePlan(IReadOnlyList<RoleChange> Changes, PlannerHistory History);
