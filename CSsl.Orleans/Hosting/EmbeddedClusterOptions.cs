using System.Net;
using Orleans.Runtime;

namespace Orleans.Hosting;

/// <summary>How a silo or client of the embedded engine finds and proves itself to its cluster.</summary>
public sealed class EmbeddedClusterOptions
{
    /// <summary>Clusters of different ids in one database don't see each other.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The database that all processes of the cluster share: the path of a SQLite file, or a connection string of SQLite or PostgreSQL.</summary>
    public required string Database { get; init; }

    /// <summary>The key that all processes of the cluster have: at least 32 bytes. Only keys derived from it are used.</summary>
    public required ReadOnlyMemory<byte> ClusterKey { get; init; }

    /// <summary>Silos: unique in the cluster. A silo that starts takes the place of an earlier run of the same name.</summary>
    public string SiloName { get; init; } = "silo";

    /// <summary>Silos: where calls of other processes come in, address:port; port 0 is any free one. One machine: an address, not a wildcard.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";

    /// <summary>After so long without an answer a call fails with <see cref="TimeoutException"/>.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Time between two probes of every other silo.</summary>
    public TimeSpan ProbePeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A probe without an answer for so long is missed.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Probes missed in a row until a silo is declared dead.</summary>
    public int MissedProbes { get; init; } = 3;

    /// <summary>How often the membership table is read, by clients and silos, besides when a silo says that it changed.</summary>
    public TimeSpan RefreshPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Grains that were not called for so long are deactivated.</summary>
    public TimeSpan CollectionAge { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>The most bytes that a call or its answer may have on the wire.</summary>
    public int MaxMessageBytes { get; init; } = 4 * 1024 * 1024;

    /// <exception cref="OrleansConfigurationException">A value can't work; says which.</exception>
    internal void Validate()
    {
        Require(ClusterId.Length > 0, nameof(ClusterId), "is empty");
        Require(SiloName.Length > 0, nameof(SiloName), "is empty");
        Require(Database.Length > 0, nameof(Database), "is empty");
        Require(ClusterKey.Length >= 32, nameof(ClusterKey), "is shorter than 32 bytes");
        Require(
            IPEndPoint.TryParse(Listen, out var endpoint) && !endpoint.Address.Equals(IPAddress.Any) && !endpoint.Address.Equals(IPAddress.IPv6Any),
            nameof(Listen),
            $"is '{Listen}', not the address:port at which the other processes reach the silo");
        Require(ResponseTimeout > TimeSpan.Zero, nameof(ResponseTimeout), "is not positive");
        Require(ProbePeriod > TimeSpan.Zero, nameof(ProbePeriod), "is not positive");
        Require(ProbeTimeout > TimeSpan.Zero, nameof(ProbeTimeout), "is not positive");
        Require(MissedProbes > 0, nameof(MissedProbes), "is not positive");
        Require(RefreshPeriod > TimeSpan.Zero, nameof(RefreshPeriod), "is not positive");
        Require(CollectionAge > TimeSpan.Zero, nameof(CollectionAge), "is not positive");
        Require(MaxMessageBytes > 0, nameof(MaxMessageBytes), "is not positive");
    }

    private static void Require(bool holds, string name, string otherwise)
    {
        if (!holds)
            throw new OrleansConfigurationException($"{nameof(EmbeddedClusterOptions)}.{name} {otherwise}.");
    }
}
