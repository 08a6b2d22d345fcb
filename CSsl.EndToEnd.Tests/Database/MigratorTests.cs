using CSsl.Database;
using CSsl.Database.Migrations;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Database;

[Collection(Databases.Name)]
public sealed class MigratorTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public void Migrations_are_numbered_from_1_without_gaps(DatabaseKind kind)
    {
        var migrations = Migration.Of(kind);
        Assert.NotEmpty(migrations);
        Assert.Equal(Enumerable.Range(1, migrations.Length), migrations.Select(static migration => migration.Version));
    }

    [Fact]
    public void Both_databases_have_the_same_migrations()
        => Assert.Equal(Migration.Of(DatabaseKind.Sqlite).Select(static m => (m.Version, m.Name)), Migration.Of(DatabaseKind.Postgres).Select(static m => (m.Version, m.Name)));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_migration_is_applied_once(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);
        var migrator = new Migrator(database.Cluster);
        Assert.Equal(Migration.Of(kind).AsEnumerable(), (await migrator.StatusAsync()).Pending);

        Assert.Equal(Migration.Of(kind).AsEnumerable(), await migrator.ApplyAsync());
        Assert.Empty(await migrator.ApplyAsync());

        var status = await migrator.StatusAsync();
        Assert.Empty(status.Pending);
        Assert.Equal(Migration.Of(kind).Select(static m => (m.Version, m.Name)), status.Applied.Select(static m => (m.Version, m.Name)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Processes_that_start_at_once_do_not_meet(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateEmptyAsync(kind, postgres);

        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => new Migrator(ClusterDatabase.Of(database.Connection)).ApplyAsync()));

        Assert.Equal(Migration.Of(kind).Length, applied.Sum(static migrations => migrations.Length));
        Assert.Single(applied, static migrations => migrations.Length > 0);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_migration_may_run_twice_and_leaves_the_rows_alone(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await database.Cluster.WriteAsync(database.Cluster.Queries[StoredQueries.InsertMembershipVersion].With("DeploymentId", "kept"), static row => row.GetInt32(0));

        // As in a database whose tables were made by other means.
        await database.Cluster.WriteAsync(new Query("DELETE FROM schema_version"), static _ => 0);
        Assert.Equal(Migration.Of(kind).Length, (await new Migrator(database.Cluster).ApplyAsync()).Length);

        Assert.Equal("kept", Assert.Single(await database.Cluster.ReadAsync(new Query("SELECT DeploymentId FROM OrleansMembershipVersionTable"), static row => row.GetString(0))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Database_of_a_newer_build_is_used_as_it_is(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await database.Cluster.WriteAsync(new Query("INSERT INTO schema_version (version, name, applied_at) VALUES (9999, 'future', '2031-01-01T00:00:00.0000000+00:00')"), static _ => 0);

        await ClusterDatabase.Of(database.Connection).PrepareAsync();

        Assert.Equal(9999, (await new Migrator(database.Cluster).StatusAsync()).Applied[^1].Version);
    }

    [Fact]
    public async Task Status_makes_no_file()
    {
        using var folder = new TempDirectory();
        var path = folder.File("cluster.db");
        Assert.NotEmpty((await new Migrator(ClusterDatabase.Of(path)).StatusAsync()).Pending);
        Assert.False(File.Exists(path));
    }
}
