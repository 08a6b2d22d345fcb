using CSsl.Database;
using CSsl.Database.Migrations;
using CSsl.Tests.Support;
using Npgsql;
using Xunit;

namespace CSsl.EndToEnd.Tests.Database;

[Collection(Databases.Name)]
public sealed class ClusterDatabaseTests(Postgres postgres)
{
    [Theory]
    [InlineData("cluster.db", DatabaseKind.Sqlite)]
    [InlineData("/var/lib/cssl/cluster.db", DatabaseKind.Sqlite)]
    [InlineData("Data Source=cluster.db", DatabaseKind.Sqlite)]
    [InlineData("Data Source=cluster.db;Cache=Shared", DatabaseKind.Sqlite)]
    [InlineData("Host=db;Database=cssl", DatabaseKind.Postgres)]
    [InlineData("server=db;database=cssl;password='a=b'", DatabaseKind.Postgres)]
    public void Text_says_which_database_it_is(string text, DatabaseKind kind) => Assert.Equal(kind, ClusterDatabase.Of(text).Kind);

    [Theory]
    [InlineData("Host=db;Database=cssl;Username=u;Password=Tr0ub4dor", "postgres://db:5432/cssl")]
    [InlineData("Data Source=/x/cluster.db;Password=Tr0ub4dor", "/x/cluster.db")]
    public void Name_has_no_password(string text, string name) => Assert.Equal(name, ClusterDatabase.Of(text).Name);

    [Theory]
    [InlineData("Host=db;Pasword=Tr0ub4dor")]
    [InlineData("Host=db;Password=\"Tr0ub4dor")]
    [InlineData("Data Sauce=x;Password=Tr0ub4dor")]
    public void Text_that_is_wrong_is_not_repeated(string text)
        => Assert.DoesNotContain("Tr0ub4dor", Assert.Throws<DatabaseException>(() => ClusterDatabase.Of(text)).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Host=db;Database=cssl", GssEncryptionMode.Disable)]
    [InlineData("Host=db;Database=cssl;GSS Encryption Mode=Require", GssEncryptionMode.Require)]
    public void Kerberos_is_tried_only_where_it_is_asked_for(string text, GssEncryptionMode mode)
        => Assert.Equal(mode, new NpgsqlConnectionStringBuilder(ClusterDatabase.Of(text).ConnectionString).GssEncryptionMode);

    [Fact]
    public async Task Server_that_is_not_there_is_named()
    {
        int port = Ports.Free(1)[0];
        var failure = await Assert.ThrowsAsync<DatabaseException>(() => ClusterDatabase.Of($"Host=127.0.0.1;Port={port};Username=u;Password=Tr0ub4dor;Database=d").PrepareAsync());
        Assert.Contains($"postgres://127.0.0.1:{port}/d", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Tr0ub4dor", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_that_can_not_be_opened_is_named()
    {
        var failure = await Assert.ThrowsAsync<DatabaseException>(() => ClusterDatabase.Of("/no/such/folder/cluster.db").PrepareAsync());
        Assert.Contains("/no/such/folder/cluster.db", failure.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task User_who_may_not_make_tables_can_use_those_that_are_there()
    {
        using var database = await TestDatabase.CreateAsync(DatabaseKind.Postgres, postgres);
        await database.Cluster.WriteAsync(new Query("DROP ROLE IF EXISTS clerk"), static _ => 0);
        await database.Cluster.WriteAsync(new Query("CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk"), static _ => 0);
        var asClerk = ClusterDatabase.Of(new NpgsqlConnectionStringBuilder(database.Connection) { Username = "clerk" }.ConnectionString);

        await asClerk.PrepareAsync();
        Assert.True((await asClerk.WriteAsync(asClerk.Queries[StoredQueries.InsertMembershipVersion].With("DeploymentId", "x"), static row => row.GetInt32(0)))[0] == 1);

        using var empty = await TestDatabase.CreateEmptyAsync(DatabaseKind.Postgres, postgres);
        var refused = ClusterDatabase.Of(new NpgsqlConnectionStringBuilder(empty.Connection) { Username = "clerk" }.ConnectionString);
        Assert.Contains("permission denied", (await Assert.ThrowsAsync<DatabaseException>(() => new Migrator(refused).ApplyAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Turn_is_had_by_one_process_at_a_time_in_SQLite() => Turn_is_had_by_one_process_at_a_time(DatabaseKind.Sqlite);

    [PostgresFact]
    public Task Turn_is_had_by_one_process_at_a_time_in_PostgreSQL() => Turn_is_had_by_one_process_at_a_time(DatabaseKind.Postgres);

    private async Task Turn_is_had_by_one_process_at_a_time(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var other = ClusterDatabase.Of(database.Connection);
        var mine = await database.Cluster.TakeTurnAsync(TimeSpan.FromSeconds(30));
        Assert.NotNull(mine);
        Assert.Null(await other.TakeTurnAsync(TimeSpan.FromMilliseconds(50)));

        var next = other.TakeTurnAsync(TimeSpan.FromSeconds(30));
        await mine.DisposeAsync();

        await using var theirs = await next;
        Assert.NotNull(theirs);
    }
}
