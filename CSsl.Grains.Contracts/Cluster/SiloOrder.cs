using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>Who decides what a silo does.</summary>
public enum RoleMode
{
    /// <summary>The operator: the configuration, or <c>cssl roles</c>.</summary>
    Fixed = 0,

    /// <summary>The planner of <see cref="IClusterGrain"/>, by load.</summary>
    Auto = 1,
}

/// <summary>Who gave an order.</summary>
public enum OrderedBy
{
    Operator = 0,
    Planner = 1,
}

/// <summary>
/// What a silo is to do, beyond its configuration: the desired state, where its report is the actual one. The cluster grain stores one per
/// silo that was ever ordered something, every view shows it, and it is pushed to the silo.
/// </summary>
/// <remarks>Roles hold for the silo's name: a machine that starts again goes on as what it was made. To drain is for one run only: a
/// silo that was drained to be stopped serves again when it is started.</remarks>
[GenerateSerializer, Immutable, Alias("CSsl.SiloOrder")]
public sealed record SiloOrder
{
    [Id(0)] public required string Silo { get; init; }

    /// <summary>Orders of one silo: the greater is the newer. Counted by the cluster grain, and stored with the order.</summary>
    [Id(1)] public required long Version { get; init; }

    /// <summary>What it does; null: what it started with.</summary>
    [Id(2)] public SiloRoles? Roles { get; init; }

    /// <summary>Who decides about its roles; null: what it was configured with.</summary>
    [Id(3)] public RoleMode? Mode { get; init; }

    /// <summary>The run (<see cref="SiloReport.Incarnation"/>) that is to drain; null: none.</summary>
    [Id(4)] public Guid? Drain { get; init; }

    /// <summary>Who gave the newest of it.</summary>
    [Id(5)] public OrderedBy By { get; init; }

    /// <summary>True when that run of the silo is to take nothing new.</summary>
    public bool Drains(Guid incarnation) => Drain == incarnation;
}

/// <summary>A change of roles, and why: kept in the view for <c>cssl status</c>.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.RoleDecision")]
public sealed record RoleDecision
{
    [Id(0)] public required DateTimeOffset At { get; init; }
    [Id(1)] public required string Silo { get; init; }
    [Id(2)] public required SiloRoles From { get; init; }
    [Id(3)] public required SiloRoles To { get; init; }
    [Id(4)] public required OrderedBy By { get; init; }
    [Id(5)] public required string Reason { get; init; }
}
