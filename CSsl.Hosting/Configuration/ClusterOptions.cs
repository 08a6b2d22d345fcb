using System.ComponentModel.DataAnnotations;

namespace CSsl.Hosting.Configuration;

/// <summary>Section <c>Cluster</c>: which cluster a process belongs to. The same in every process of a cluster.</summary>
public sealed class ClusterOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Cluster";

    /// <summary>The cluster's name: processes of different clusters refuse each other.</summary>
    public string Id { get; set; } = "dev";

    /// <summary>File with 32 random bytes in base64 on one line: proves on the control plane and on data links that a process belongs here.
    /// Gateways and silos have it. Each use derives its own key from it (HKDF with a label).</summary>
    [FilePath]
    public string? KeyFile { get; set; }

    /// <summary>File with the key ring that seals sessions (<see cref="Tls.Sessions.ClusterKeyRing"/>). Silos only; a gateway never reads it.</summary>
    [FilePath]
    public string? SealingKeyFile { get; set; }

    /// <summary>How long a key that was taken out of <see cref="SealingKeyFile"/>, and that the cluster seals under no more, still opens; then it is wiped. In this time
    /// everything that is sealed under it is sealed anew. 0: wiped at once.</summary>
    public TimeSpan SealingKeyRetention { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How old a capsule may be that a silo opens. It is sealed anew at the first checkpoint after half of that; a session that sleeps for longer than what is left is reset
    /// when its client speaks.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00")]
    public TimeSpan CapsuleLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Where membership and grain state live: the path of a SQLite file, or a connection string, which with Host is PostgreSQL's
    /// (<see cref="CSsl.Database.ClusterDatabase.Of"/>).</summary>
    [FilePath]
    public string? Database { get; set; }

    /// <summary>PEM certificate of this process, for TLS on Orleans's connections; null: none.</summary>
    [FilePath]
    public string? TlsCertificateFile { get; set; }

    /// <summary>PEM private key of <see cref="TlsCertificateFile"/>.</summary>
    [FilePath]
    public string? TlsKeyFile { get; set; }

    /// <summary>PEM certificate of the one authority that signs for this cluster's processes.</summary>
    [FilePath]
    public string? TlsAuthorityFile { get; set; }

    /// <summary>Silos that keep the handshake role whatever the load, where the cluster moves roles by itself.</summary>
    [Range(0, 10_000)]
    public int MinimumHandshakeSilos { get; set; } = 1;

    /// <summary>Silos that keep the data role whatever the load, where the cluster moves roles by itself.</summary>
    [Range(0, 10_000)]
    public int MinimumDataSilos { get; set; } = 1;
}
