using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using CSsl.EmbeddedCluster.Storage;
using Microsoft.Data.Sqlite;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>The rows of one cluster in OrleansMembershipTable. Every change but the I-am-alive time raises the version.</summary>
internal sealed class MembershipTable(ClusterDatabase database, string clusterId, TimeProvider time)
{
    /// <summary>Generations count seconds from here, so that they fit the table's column for as long as anybody cares.</summary>
    private static readonly DateTimeOffset Epoch = new(2022, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How long the row of a dead silo is kept for whoever wants to know what happened.</summary>
    private static readonly TimeSpan DeadRowsKept = TimeSpan.FromHours(1);

    /// <summary>A row that was not renewed for so long is of a cluster that died as a whole.</summary>
    private static readonly TimeSpan AliveRowsTrusted = TimeSpan.FromSeconds(30);

    private const string One = "DeploymentId = $cluster AND Address = $address AND Port = $port AND Generation = $generation";

    public Task<ClusterSnapshot> ReadAsync() => database.RunAsync(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        using var version = connection.Command(transaction, "SELECT Version FROM OrleansMembershipVersionTable WHERE DeploymentId = $cluster", ("$cluster", clusterId));
        using var rows = connection.Command(transaction, "SELECT Address, Port, Generation, SiloName, Status FROM OrleansMembershipTable WHERE DeploymentId = $cluster", ("$cluster", clusterId));
        var members = ImmutableArray.CreateBuilder<Member>();
        using var reader = rows.ExecuteReader();
        while (reader.Read())
            members.Add(new Member(AddressOf(reader), reader.GetString(3), (SiloStatus)reader.GetInt32(4)));
        return new ClusterSnapshot(version.ExecuteScalar() as long? ?? 0, members.ToImmutable());
    });

    /// <summary>Enters silos as dead that have not said for long that they are alive: with nobody left to probe them, nobody else does.</summary>
    public Task BuryAsync() => database.WriteAsync((connection, transaction) =>
    {
        var now = time.GetUtcNow();
        var buried = Execute(connection, transaction, "UPDATE OrleansMembershipTable SET Status = $dead WHERE DeploymentId = $cluster AND Status <> $dead AND IAmAliveTime < $stale", ("$dead", SiloStatus.Dead), ("$stale", Text(now - AliveRowsTrusted)));
        Execute(connection, transaction, "DELETE FROM OrleansMembershipTable WHERE DeploymentId = $cluster AND Status = $dead AND IAmAliveTime < $old", ("$dead", SiloStatus.Dead), ("$old", Text(now - DeadRowsKept)));
        if (buried > 0)
            RaiseVersion(connection, transaction);
        return buried;
    });

    /// <summary>Enters a silo as active. Earlier runs of its name, and whoever had its address, are dead.</summary>
    public Task<SiloAddress> JoinAsync(IPEndPoint endpoint, string name) => database.WriteAsync((connection, transaction) =>
    {
        var now = time.GetUtcNow();
        var (address, port) = (endpoint.Address.ToString(), endpoint.Port);
        Execute(connection, transaction, "INSERT OR IGNORE INTO OrleansMembershipVersionTable VALUES ($cluster, $now, 0)", ("$now", Text(now)));
        Execute(connection, transaction, "UPDATE OrleansMembershipTable SET Status = $dead WHERE DeploymentId = $cluster AND (SiloName = $name OR (Address = $address AND Port = $port))", ("$dead", SiloStatus.Dead), ("$name", name), ("$address", address), ("$port", port));

        using var last = connection.Command(transaction, "SELECT MAX(Generation) FROM OrleansMembershipTable WHERE DeploymentId = $cluster", ("$cluster", clusterId));
        var generation = (int)Math.Max((long)(now - Epoch).TotalSeconds, 1 + (last.ExecuteScalar() as long? ?? 0));
        Execute(
            connection,
            transaction,
            "INSERT INTO OrleansMembershipTable (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime) VALUES ($cluster, $address, $port, $generation, $name, $host, $active, $port, $now, $now)",
            ("$address", address), ("$port", port), ("$generation", generation), ("$name", name), ("$host", Environment.MachineName), ("$active", SiloStatus.Active), ("$now", Text(now)));
        RaiseVersion(connection, transaction);
        return SiloAddress.New(endpoint, generation);
    });

    /// <summary>Changes a silo's status. False when it is dead: that is final.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="status">Its new status.</param>
    /// <param name="by">Who says so. Only a silo that is not dead itself may.</param>
    public Task<bool> SetStatusAsync(SiloAddress silo, SiloStatus status, SiloAddress by) => database.WriteAsync((connection, transaction) =>
    {
        if (StatusOf(connection, transaction, by) is SiloStatus.Dead || StatusOf(connection, transaction, silo) is SiloStatus.Dead)
            return false;
        Execute(connection, transaction, $"UPDATE OrleansMembershipTable SET Status = $status, SuspectTimes = $suspect WHERE {One}", [.. Row(silo), ("$status", status), ("$suspect", silo.Equals(by) ? null : $"{by},{Text(time.GetUtcNow())}")]);
        RaiseVersion(connection, transaction);
        return true;
    });

    public Task SayAliveAsync(SiloAddress silo) => database.WriteAsync((connection, transaction) =>
        Execute(connection, transaction, $"UPDATE OrleansMembershipTable SET IAmAliveTime = $now WHERE {One}", [.. Row(silo), ("$now", Text(time.GetUtcNow()))]));

    private SiloStatus StatusOf(SqliteConnection connection, SqliteTransaction transaction, SiloAddress silo)
    {
        using var command = connection.Command(transaction, $"SELECT Status FROM OrleansMembershipTable WHERE {One}", [.. Row(silo), ("$cluster", clusterId)]);
        return command.ExecuteScalar() is long status ? (SiloStatus)status : SiloStatus.Dead;
    }

    private void RaiseVersion(SqliteConnection connection, SqliteTransaction transaction)
        => Execute(connection, transaction, "UPDATE OrleansMembershipVersionTable SET Version = Version + 1, Timestamp = $now WHERE DeploymentId = $cluster", ("$now", Text(time.GetUtcNow())));

    private int Execute(SqliteConnection connection, SqliteTransaction transaction, string sql, params ReadOnlySpan<(string, object?)> parameters)
    {
        using var command = connection.Command(transaction, sql, [.. parameters, ("$cluster", clusterId)]);
        return command.ExecuteNonQuery();
    }

    private static (string, object?)[] Row(SiloAddress silo)
        => [("$address", silo.Endpoint.Address.ToString()), ("$port", silo.Endpoint.Port), ("$generation", silo.Generation)];

    private static SiloAddress AddressOf(SqliteDataReader row) => SiloAddress.New(new IPEndPoint(IPAddress.Parse(row.GetString(0)), row.GetInt32(1)), row.GetInt32(2));

    private static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
