using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>What the cluster grain stores. An immutable snapshot: what could not be stored is not half changed.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.ClusterState")]
public sealed record ClusterState
{
    /// <summary>Of the last activation (<see cref="ViewVersion.Epoch"/>).</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>Version of the last order.</summary>
    [Id(1)] public long LastOrder { get; init; }

    /// <summary>By silo.</summary>
    [Id(2)] public IReadOnlyList<SiloOrder> Orders { get; init; } = [];

    /// <summary>The last changes of roles, oldest first.</summary>
    [Id(3)] public IReadOnlyList<RoleDecision> Decisions { get; init; } = [];
}
