using System.Net;
using CSsl.Database;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.Tests.Database;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

[Collection(Databases.Name)]
public sealed class MembershipTableTests(Postgres postgres)
{
    private readonly ManualTimeProvider _time = new();

    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silo_that_joins_is_active_and_raises_the_version(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        var silo = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");

        var view = await table.ReadAsync();
        Assert.Equal(1, view.Version);
        Assert.Equal(new Member(silo, "a", SiloStatus.Active), Assert.Single(view.Active));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Generation_grows_when_a_silo_joins_twice_in_a_second(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        var first = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        var second = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");

        Assert.True(second.Generation > first.Generation);
        Assert.Equal(second, Assert.Single((await table.ReadAsync()).Active).Address);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Whoever_had_the_address_is_dead_when_another_silo_joins_with_it(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "b");

        Assert.Equal("b", Assert.Single((await table.ReadAsync()).Active).Name);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silos_that_join_at_once_all_join(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);

        await Task.WhenAll(Enumerable.Range(1, 8).Select(i => table.JoinAsync(new IPEndPoint(IPAddress.Loopback, i), $"s{i}")));

        var view = await table.ReadAsync();
        Assert.Equal(8, view.Active.Length);
        Assert.Equal(8, view.Version);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Death_is_final_and_the_dead_declare_nobody_dead(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        var a = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        var b = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 2), "b");

        Assert.True(await table.SetStatusAsync(a, SiloStatus.Dead, b));
        Assert.False(await table.SetStatusAsync(a, SiloStatus.Active, a));
        Assert.False(await table.SetStatusAsync(b, SiloStatus.Dead, a));

        Assert.Equal(b, Assert.Single((await table.ReadAsync()).Active).Address);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silos_are_buried_when_they_have_not_said_for_long_that_they_live_and_do_not_answer(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        var a = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 2), "b");
        var c = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 3), "c");
        _time.Advance(TimeSpan.FromSeconds(20));
        await table.SayAliveAsync(a);
        _time.Advance(TimeSpan.FromSeconds(20));

        // As after the database was away: c lives and could not say so.
        await table.BuryAsync(silo => Task.FromResult(silo.Equals(c)));

        var view = await table.ReadAsync();
        Assert.Equal(["a", "c"], view.Active.Select(static member => member.Name).Order());
        Assert.Equal(4, view.Version);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Rows_of_the_dead_are_kept_for_an_hour(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var table = TableOf(database);
        var a = await table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await table.SetStatusAsync(a, SiloStatus.Dead, a);

        _time.Advance(TimeSpan.FromMinutes(59));
        await table.BuryAsync(static _ => Task.FromResult(false));
        Assert.Equal(1, await RowsAsync());
        _time.Advance(TimeSpan.FromMinutes(2));
        await table.BuryAsync(static _ => Task.FromResult(false));
        Assert.Equal(0, await RowsAsync());

        async Task<long> RowsAsync() => (await database.Cluster.ReadAsync(new Query("SELECT COUNT(*) FROM OrleansMembershipTable"), static row => row.GetInt64(0)))[0];
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Clusters_in_one_database_do_not_see_each_other(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await TableOf(database).JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        var other = new MembershipTable(database.Cluster, "other", _time);
        Assert.Empty((await other.ReadAsync()).Active);
        await other.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        Assert.Single((await TableOf(database).ReadAsync()).Active);
    }

    private MembershipTable TableOf(TestDatabase database) => new(database.Cluster, "test", _time);
}
