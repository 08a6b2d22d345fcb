namespace CSsl.Grains.Cluster;

/// <summary>What <c>GET /status</c> of a gateway's admin endpoint answers, as JSON (camelCase names); what <c>cssl status</c> shows.</summary>
public sealed record ClusterStatus
{
    public required string ClusterId { get; init; }

    /// <summary>Every process of the cluster, gateways first, then silos by name.</summary>
    public required IReadOnlyList<ProcessStatus> Processes { get; init; }
}

/// <summary>One process of the cluster. Rates are of the last second.</summary>
public sealed record ProcessStatus
{
    public required string Name { get; init; }

    public required int Pid { get; init; }

    /// <summary>"gateway" or "silo".</summary>
    public required string Kind { get; init; }

    /// <summary>Names of <see cref="SiloRoles"/>; empty for a gateway.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Name of a <see cref="SiloState"/>.</summary>
    public required string State { get; init; }

    /// <summary>Client connections: open (gateway), attached (silo).</summary>
    public int Connections { get; init; }

    public double HandshakesPerSecond { get; init; }

    public double BytesPerSecond { get; init; }

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes { get; init; }

    public DateTimeOffset StartedAt { get; init; }
}
