using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>What an operator wants of a silo; what is null stays as it is.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.SiloCommand")]
public sealed record SiloCommand
{
    /// <summary>The silo's name.</summary>
    [Id(0)] public required string Silo { get; init; }

    /// <summary>Take nothing new and let go of what is under way; false: serve again.</summary>
    [Id(1)] public bool? Drain { get; init; }

    /// <summary>What it is to do from now on.</summary>
    [Id(2)] public SiloRoles? Roles { get; init; }

    /// <summary>Who decides about its roles from now on.</summary>
    [Id(3)] public RoleMode? Mode { get; init; }

    /// <summary>Also when no silo of a role would be left.</summary>
    [Id(4)] public bool Force { get; init; }
}

/// <summary>What became of a command.</summary>
public enum CommandOutcome
{
    /// <summary>Ordered, and stored; the silo is told at once.</summary>
    Ordered = 0,

    /// <summary>No such silo.</summary>
    UnknownSilo = 1,

    /// <summary>It would do harm, or can't be done: <see cref="CommandAnswer.Reason"/> says why.</summary>
    Refused = 2,

    /// <summary>The order can't be stored, so it was not given: <see cref="CommandAnswer.Reason"/> says why. Ask again later.</summary>
    NotStored = 3,
}

/// <summary>The cluster's answer to a command.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.CommandAnswer")]
public sealed record CommandAnswer
{
    [Id(0)] public required CommandOutcome Outcome { get; init; }

    /// <summary>In one line, why not; empty when it was ordered.</summary>
    [Id(1)] public string Reason { get; init; } = "";

    /// <summary>What the silo is to do now.</summary>
    [Id(2)] public SiloOrder? Order { get; init; }

    /// <summary>A refusal by a grain that does not know every silo yet (<see cref="ClusterView.Settling"/>): ask again in a moment.</summary>
    [Id(3)] public bool IsProvisional { get; init; }
}
