using CSsl.Database;
using CSsl.Tests.Support;

namespace CSsl.EndToEnd.Tests.Database;

/// <summary>An empty database of a test's own.</summary>
public sealed class TestDatabase : IDisposable
{
    private readonly TempDirectory _folder = new();

    private TestDatabase(string connection, ClusterDatabase cluster) => (Connection, Cluster) = (connection, cluster);

    /// <summary>Path or connection string.</summary>
    public string Connection { get; private set; }

    public ClusterDatabase Cluster { get; private set; }

    /// <summary>With its tables.</summary>
    public static async Task<TestDatabase> CreateAsync(DatabaseKind kind, Postgres postgres)
    {
        var database = await CreateEmptyAsync(kind, postgres);
        await database.Cluster.PrepareAsync();
        return database;
    }

    /// <summary>Without.</summary>
    public static async Task<TestDatabase> CreateEmptyAsync(DatabaseKind kind, Postgres postgres)
    {
        var database = new TestDatabase("", null!);
        database.Connection = kind == DatabaseKind.Postgres ? await postgres.CreateDatabaseAsync() : database._folder.File("cluster.db");
        database.Cluster = ClusterDatabase.Of(database.Connection);
        return database;
    }

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }
}
