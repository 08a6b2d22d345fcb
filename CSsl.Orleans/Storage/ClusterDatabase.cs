using Microsoft.Data.Sqlite;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>The SQLite file that the processes of a cluster share: membership and grain state. Tables and columns have Orleans's ADO.NET names.</summary>
internal sealed class ClusterDatabase
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS OrleansMembershipVersionTable (
            DeploymentId TEXT NOT NULL PRIMARY KEY,
            Timestamp TEXT NOT NULL,
            Version INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS OrleansMembershipTable (
            DeploymentId TEXT NOT NULL REFERENCES OrleansMembershipVersionTable (DeploymentId),
            Address TEXT NOT NULL,
            Port INTEGER NOT NULL,
            Generation INTEGER NOT NULL,
            SiloName TEXT NOT NULL,
            HostName TEXT NOT NULL,
            Status INTEGER NOT NULL,
            ProxyPort INTEGER NULL,
            SuspectTimes TEXT NULL,
            StartTime TEXT NOT NULL,
            IAmAliveTime TEXT NOT NULL,
            PRIMARY KEY (DeploymentId, Address, Port, Generation));
        CREATE TABLE IF NOT EXISTS OrleansStorage (
            GrainIdHash INTEGER NOT NULL,
            GrainIdN0 INTEGER NOT NULL,
            GrainIdN1 INTEGER NOT NULL,
            GrainTypeHash INTEGER NOT NULL,
            GrainTypeString TEXT NOT NULL,
            GrainIdExtensionString TEXT NULL,
            ServiceId TEXT NOT NULL,
            PayloadBinary BLOB NULL,
            ModifiedOn TEXT NOT NULL,
            Version INTEGER NULL);
        CREATE INDEX IF NOT EXISTS IX_OrleansStorage ON OrleansStorage (GrainIdHash, GrainTypeHash);
        """;

    private readonly string _connectionString;

    /// <param name="database">A path, or a connection string of Microsoft.Data.Sqlite.</param>
    public ClusterDatabase(string database)
    {
        var builder = database.Contains('=', StringComparison.Ordinal) ? new SqliteConnectionStringBuilder(database) : new SqliteConnectionStringBuilder { DataSource = database };

        // How long a writer waits for another process's, in seconds.
        builder.DefaultTimeout = 5;
        _connectionString = builder.ToString();
    }

    /// <summary>Creates what is not there yet.</summary>
    /// <exception cref="OrleansConfigurationException">The file can't be opened or written.</exception>
    public async Task CreateAsync()
    {
        try
        {
            await RunAsync(static connection =>
            {
                // WAL is a property of the file: readers never wait for the writer.
                using var command = connection.Command(null, "PRAGMA journal_mode=WAL;\n" + Schema);
                return command.ExecuteNonQuery();
            }).ConfigureAwait(false);
        }
        catch (SqliteException e)
        {
            throw new OrleansConfigurationException($"The cluster's database can't be used ({_connectionString}): {e.Message}", e);
        }
    }

    /// <summary>Runs <paramref name="work"/> on the thread pool: SQLite has no asynchronous I/O, and a grain's turn must not block.</summary>
    public Task<T> RunAsync<T>(Func<SqliteConnection, T> work) => Task.Run(() =>
    {
        using var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return work(connection);
    });

    /// <summary>Runs <paramref name="work"/> in one transaction that is a writer from its start, so that what it reads stays true until it commits.</summary>
    public Task<T> WriteAsync<T>(Func<SqliteConnection, SqliteTransaction, T> work) => RunAsync(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection, transaction);
        transaction.Commit();
        return result;
    });
}
