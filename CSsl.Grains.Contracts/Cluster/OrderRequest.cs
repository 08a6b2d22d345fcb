namespace CSsl.Grains.Cluster;

/// <summary>What <c>POST /orders</c> of a gateway's admin endpoint takes, as JSON (camelCase names); what <c>cssl drain</c> and <c>cssl roles</c> send.
/// What is missing stays as it is.</summary>
public sealed record OrderRequest
{
    /// <summary>The silo's name.</summary>
    public required string Silo { get; init; }

    /// <summary>True: take nothing new and let go of what is under way. False: serve again.</summary>
    public bool? Drain { get; init; }

    /// <summary>Names of <see cref="SiloRoles"/>; empty for none.</summary>
    public IReadOnlyList<string>? Roles { get; init; }

    /// <summary>Name of a <see cref="RoleMode"/>.</summary>
    public string? Mode { get; init; }

    /// <summary>Also when no silo of a role would be left.</summary>
    public bool Force { get; init; }
}

/// <summary>What it answers: 200 with the order, or 400, 404 (no such silo), 409 (refused), 503 (the cluster can't be reached) with an error.</summary>
public sealed record OrderResponse
{
    /// <summary>Number of the order; 0 with an error.</summary>
    public long Version { get; init; }

    /// <summary>Why not, in one line; null when it was ordered.</summary>
    public string? Error { get; init; }
}
