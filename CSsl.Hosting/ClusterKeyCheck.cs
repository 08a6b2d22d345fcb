using System.Security.Cryptography;
using CSsl.Database;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Hosting;

namespace CSsl.Hosting;

/// <summary>
/// Keeps a process with another cluster key out of a cluster: Orleans does not ask for the key. For Orleans each key makes a cluster of its own
/// (<see cref="OrleansId"/>), and no process starts while silos of its cluster live under another key.
/// </summary>
/// <remarks>Against mistakes only: whoever can write the database can write any row. Runs after <see cref="DatabasePreparation"/>.</remarks>
public sealed class ClusterKeyCheck(ClusterDatabase database, string clusterId, string orleansId, TimeProvider time) : IHostedService
{
    /// <summary>Orleans's number in the Status column.</summary>
    internal const int Dead = 6;

    private const int FingerprintLength = 6;

    /// <summary>A row that was not renewed for so long is of a silo that died without anybody to notice; it is renewed every 3 s.</summary>
    private static readonly TimeSpan RowsTrusted = TimeSpan.FromSeconds(10);

    /// <summary>What Orleans is told as the cluster's name: the cluster id, '#', and 12 hexadecimal digits that are derived from the key.</summary>
    public static string OrleansId(string clusterId, ReadOnlySpan<byte> clusterKey)
    {
        Span<byte> fingerprint = stackalloc byte[FingerprintLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterKey, fingerprint, salt: [], info: "c-ssl cluster membership"u8);
        return $"{clusterId}#{Convert.ToHexStringLower(fingerprint)}";
    }

    /// <inheritdoc/>
    /// <exception cref="ConfigurationException">A silo of the cluster lives that has another key.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var silos = await database.ReadAsync(
            new Query("SELECT DeploymentId, SiloName, IAmAliveTime FROM OrleansMembershipTable WHERE Status <> @Dead AND DeploymentId <> @Own").With("Dead", Dead).With("Own", orleansId),
            static row => (Cluster: row.GetString(0), Name: row.GetString(1), AliveAt: DateTime.SpecifyKind(row.GetDateTime(2), DateTimeKind.Utc)),
            cancellationToken).ConfigureAwait(false);
        var oldest = time.GetUtcNow() - RowsTrusted;
        if (silos.Find(silo => silo.Cluster.StartsWith($"{clusterId}#", StringComparison.Ordinal) && silo.AliveAt > oldest) is { Name: { } other })
            throw new ConfigurationException($"can't join cluster {clusterId}: this process does not have its cluster key ({ClusterOptions.Section}:{nameof(ClusterOptions.KeyFile)}), or silo {other} doesn't");
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
