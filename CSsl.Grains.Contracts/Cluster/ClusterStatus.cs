namespace CSsl.Grains.Cluster;

/// <summary>What <c>GET /status</c> of a gateway's admin endpoint answers, as JSON (camelCase names); what <c>cssl status</c> shows.</summary>
public sealed record ClusterStatus
{
    public required string ClusterId { get; init; }

    /// <summary>Every process of the cluster, gateways first, then silos by name.</summary>
    public required IReadOnlyList<ProcessStatus> Processes { get; init; }

    /// <summary>The last changes of roles, oldest first.</summary>
    public IReadOnlyList<DecisionStatus> Decisions { get; init; } = [];

    /// <summary>The last clients that this gateway refused, oldest first.</summary>
    public IReadOnlyList<RefusalStatus> Refusals { get; init; } = [];
}

/// <summary>A client that a gateway refused.</summary>
public sealed record RefusalStatus
{
    /// <summary>Its address and port.</summary>
    public required string Client { get; init; }

    /// <summary>As in the metrics and the log.</summary>
    public required string Reason { get; init; }

    /// <summary>What else is known.</summary>
    public string Detail { get; init; } = "";

    /// <summary>True when the same client, asking for the same, will be refused again.</summary>
    public bool IsLasting { get; init; }
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

    /// <summary>The roles that it is to have: others than <see cref="Roles"/> while it changes. Empty for a gateway.</summary>
    public IReadOnlyList<string> DesiredRoles { get; init; } = [];

    /// <summary>True when it was ordered to drain.</summary>
    public bool Drains { get; init; }

    /// <summary>Who decides about its roles: name of a <see cref="RoleMode"/>; empty for a gateway.</summary>
    public string Mode { get; init; } = "";

    /// <summary>Why it can't do what it was ordered.</summary>
    public string? Trouble { get; init; }

    /// <summary>The order that it acts on; 0: none.</summary>
    public long OrderVersion { get; init; }

    /// <summary>Name of a <see cref="SiloState"/>.</summary>
    public required string State { get; init; }

    /// <summary>Client connections: open (gateway), attached (silo).</summary>
    public int Connections { get; init; }

    /// <summary>What became of a gateway's connections; null for a silo.</summary>
    public SessionCounts? Sessions { get; init; }

    public double HandshakesPerSecond { get; init; }

    public double BytesPerSecond { get; init; }

    public double RecordsPerSecond { get; init; }

    /// <summary>CPU of the process, in cores.</summary>
    public double Cpu { get; init; }

    /// <summary>CPU of its machine, 0 to 1.</summary>
    public double MachineCpu { get; init; }

    /// <summary>Handshakes under way.</summary>
    public int Handshakes { get; init; }

    /// <summary>Handshakes that wait: for a lane (silo), for a place (gateway).</summary>
    public int HandshakeQueue { get; init; }

    /// <summary>Handshakes that may begin per second because CPU is short; null: as many as come (gateway).</summary>
    public double? HandshakePace { get; init; }

    /// <summary>Mean time of a handshake's step in seconds (silo).</summary>
    public double HandshakeTime { get; init; }

    /// <summary>The record engine (silo with the data role).</summary>
    public EngineLoad? Engine { get; init; }

    /// <summary>Resident memory in bytes.</summary>
    public long ResidentBytes { get; init; }

    public DateTimeOffset StartedAt { get; init; }
}

/// <summary>A change of a silo's roles.</summary>
public sealed record DecisionStatus
{
    public required DateTimeOffset At { get; init; }

    public required string Silo { get; init; }

    /// <summary>Names of <see cref="SiloRoles"/>.</summary>
    public required IReadOnlyList<string> From { get; init; }

    /// <inheritdoc cref="From"/>
    public required IReadOnlyList<string> To { get; init; }

    /// <summary>Name of an <see cref="OrderedBy"/>.</summary>
    public required string By { get; init; }

    public required string Reason { get; init; }
}
