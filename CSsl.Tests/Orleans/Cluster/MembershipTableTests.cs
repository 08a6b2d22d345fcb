using System.Net;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Storage;
using CSsl.Tests.Support;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class MembershipTableTests : IAsyncLifetime, IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ManualTimeProvider _time = new();
    private ClusterDatabase _database = null!;
    private MembershipTable _table = null!;

    public Task InitializeAsync()
    {
        _database = new ClusterDatabase(_folder.File("cluster.db"));
        _table = new MembershipTable(_database, "test", _time);
        return _database.CreateAsync();
    }

    [Fact]
    public async Task Silo_that_joins_is_active_and_raises_the_version()
    {
        var silo = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");

        var view = await _table.ReadAsync();
        Assert.Equal(1, view.Version);
        Assert.Equal(new Member(silo, "a", SiloStatus.Active), Assert.Single(view.Active));
    }

    [Fact]
    public async Task Generation_grows_when_a_silo_joins_twice_in_a_second()
    {
        var first = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        var second = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");

        Assert.True(second.Generation > first.Generation);
        Assert.Equal(second, Assert.Single((await _table.ReadAsync()).Active).Address);
    }

    [Fact]
    public async Task Whoever_had_the_address_is_dead_when_another_silo_joins_with_it()
    {
        await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "b");

        Assert.Equal("b", Assert.Single((await _table.ReadAsync()).Active).Name);
    }

    [Fact]
    public async Task Death_is_final_and_the_dead_declare_nobody_dead()
    {
        var a = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        var b = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 2), "b");

        Assert.True(await _table.SetStatusAsync(a, SiloStatus.Dead, b));
        Assert.False(await _table.SetStatusAsync(a, SiloStatus.Active, a));
        Assert.False(await _table.SetStatusAsync(b, SiloStatus.Dead, a));

        Assert.Equal(b, Assert.Single((await _table.ReadAsync()).Active).Address);
    }

    [Fact]
    public async Task Silos_are_buried_when_they_have_not_said_for_long_that_they_live()
    {
        var a = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 2), "b");
        _time.Advance(TimeSpan.FromSeconds(20));
        await _table.SayAliveAsync(a);
        _time.Advance(TimeSpan.FromSeconds(20));

        await _table.BuryAsync();

        var view = await _table.ReadAsync();
        Assert.Equal("a", Assert.Single(view.Active).Name);
        Assert.Equal(3, view.Version);
    }

    [Fact]
    public async Task Rows_of_the_dead_are_kept_for_an_hour()
    {
        var a = await _table.JoinAsync(new IPEndPoint(IPAddress.Loopback, 1), "a");
        await _table.SetStatusAsync(a, SiloStatus.Dead, a);

        _time.Advance(TimeSpan.FromMinutes(59));
        await _table.BuryAsync();
        Assert.Equal(1, await RowsAsync());
        _time.Advance(TimeSpan.FromMinutes(2));
        await _table.BuryAsync();
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task Database_that_can_not_be_opened_is_named()
    {
        var thrown = await Assert.ThrowsAsync<OrleansConfigurationException>(() => new ClusterDatabase(_folder.File("no/such/folder.db")).CreateAsync());

        Assert.Contains("no/such/folder.db", thrown.Message, StringComparison.Ordinal);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    private Task<long> RowsAsync() => _database.RunAsync(static connection =>
    {
        using var command = connection.Command(null, "SELECT COUNT(*) FROM OrleansMembershipTable");
        return (long)command.ExecuteScalar()!;
    });
}
