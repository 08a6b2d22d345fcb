using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.Tests.Support;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class MembershipTests
{
    [Fact]
    public async Task Silo_that_was_killed_is_out_and_its_grains_are_elsewhere()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();
        var key = s1.KeyOwnedBy(s1, s2);
        Assert.Equal("s1", await client.Echo(key).Where());

        await s1.KillAsync();

        await UntilDead(cluster, s1.Address());
        await Eventually.TrueAsync(async () => await Answers(client.Echo(key)) == "s2", "the grain to be on s2");
    }

    [Fact]
    public async Task Call_fails_at_once_when_its_silo_was_killed()
    {
        await using var cluster = new TestCluster { ResponseTimeout = TimeSpan.FromSeconds(20) };
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();
        var key = s1.KeyOwnedBy(s1, s2);
        var waiting = client.Echo(key).Wait("never", default);
        await cluster.Events.Until("waiting never");

        await s1.KillAsync();

        await Assert.ThrowsAsync<SiloUnavailableException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10)));
        cluster.Events.Open("never");
    }

    [Fact]
    public async Task Silo_that_hangs_is_out()
    {
        await using var cluster = new TestCluster();
        using var hung = new TcpListener(IPAddress.Loopback, 0);
        hung.Start();
        var client = await cluster.StartClientAsync();
        var silo = await (await cluster.OpenTableAsync()).JoinAsync((IPEndPoint)hung.LocalEndpoint, "hung");
        var s1 = await cluster.StartSiloAsync("s1");

        await UntilDead(cluster, silo);

        Assert.Equal("s1", await s1.Echo("a").Where());
        await Eventually.TrueAsync(async () => await Answers(client.Echo("b")) == "s1", "the client to find s1");
    }

    [Fact]
    public async Task Next_call_goes_elsewhere_when_a_silo_hangs_that_is_not_out_yet()
    {
        await using var cluster = new TestCluster { ResponseTimeout = TimeSpan.FromSeconds(1) };
        using var hung = new TcpListener(IPAddress.Loopback, 0);
        hung.Start();
        var table = await cluster.OpenTableAsync();
        var client = await cluster.StartClientAsync();
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await table.JoinAsync((IPEndPoint)hung.LocalEndpoint, "hung1");
        await table.JoinAsync((IPEndPoint)other.LocalEndpoint, "hung2");
        await Eventually.TrueAsync(async () => await Fails(client.Echo("a")) is TimeoutException, "the client to see the silos");

        // Both hang: the one is asked, then the other.
        Assert.IsType<TimeoutException>(await Fails(client.Echo("a")));
        Assert.True(hung.Pending());
        Assert.True(other.Pending());
    }

    [Fact]
    public async Task Silo_is_out_at_once_when_it_stops()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");

        await s2.StopAsync();

        Assert.Equal(SiloStatus.Dead, (await (await cluster.OpenTableAsync()).ReadAsync()).StatusOf(s2.Address()));
        Assert.Equal("s1", await s1.Echo("a").Where());
        Assert.Equal("s1", await s1.Echo("b").Where());
    }

    [Fact]
    public async Task Silo_is_out_also_when_a_grain_does_not_come_to_an_end()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var waiting = s1.Echo("a").Wait("gate", default);
        await cluster.Events.Until("waiting gate");

        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await s1.StopAsync(patience.Token);

        Assert.False((await (await cluster.OpenTableAsync()).ReadAsync()).IsAlive(s1.Address()));
        Assert.Contains(cluster.Log.All, static l => l.StartsWith("Warning: Silo s1 leaves 1 grains behind", StringComparison.Ordinal));
        cluster.Events.Open("gate");
        await waiting;
    }

    [Fact]
    public async Task Silo_takes_the_place_of_its_earlier_run_when_it_starts_again()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var first = await cluster.StartSiloAsync("s2");
        await first.KillAsync();

        var second = await cluster.StartSiloAsync("s2");

        var view = await (await cluster.OpenTableAsync()).ReadAsync();
        Assert.Equal(SiloStatus.Dead, view.StatusOf(first.Address()));
        Assert.Equal(SiloStatus.Active, view.StatusOf(second.Address()));
        Assert.True(second.Address().Generation > first.Address().Generation);
        var key = second.KeyOwnedBy(s1, second);
        Assert.Equal("s2", await s1.Echo(key).Where());
    }

    [Fact]
    public async Task Silo_stops_itself_when_the_others_declared_it_dead()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        await s2.Grains().GetGrain<ILocalGrain>(Guid.Empty).Where();

        Assert.True(await (await cluster.OpenTableAsync()).SetStatusAsync(s2.Address(), SiloStatus.Dead, s1.Address()));

        await Eventually.TrueAsync(() => cluster.Log.All.Any(l => l.StartsWith("Critical: Silo s2", StringComparison.Ordinal)), "s2 to notice");
        await Assert.ThrowsAsync<SiloUnavailableException>(async () => await s2.Grains().GetGrain<ILocalGrain>(Guid.Empty).Where());
    }

    [Fact]
    public async Task Clusters_do_not_see_each_other_when_they_share_a_database()
    {
        await using var cluster = new TestCluster();
        await cluster.StartSiloAsync("s1");
        cluster.ClusterId = "other";
        await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();

        Assert.Equal("s2", Assert.Single((await (await cluster.OpenTableAsync()).ReadAsync()).Active).Name);
        for (var i = 0; i < 10; i++)
            Assert.Equal("s2", await client.Echo($"k{i}").Where());
    }

    [Fact]
    public async Task Client_fails_fast_without_a_silo_and_finds_one_that_comes()
    {
        await using var cluster = new TestCluster();
        var client = await cluster.StartClientAsync();
        var began = Stopwatch.GetTimestamp();
        await Assert.ThrowsAsync<SiloUnavailableException>(async () => await client.Echo("a").Where());
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(3));

        await cluster.StartSiloAsync("s1");

        await Eventually.TrueAsync(async () => await Answers(client.Echo("a")) == "s1", "the client to find s1");
    }

    private static Task UntilDead(TestCluster cluster, SiloAddress silo)
        => Eventually.TrueAsync(async () => !(await (await cluster.OpenTableAsync()).ReadAsync()).IsAlive(silo), $"{silo} to be out");

    private static async Task<Exception?> Fails(IEchoGrain grain) => await Record.ExceptionAsync(async () => await grain.Where());

    private static async Task<string?> Answers(IEchoGrain grain)
    {
        try
        {
            return await grain.Where();
        }
        catch (Exception e) when (e is SiloUnavailableException or TimeoutException)
        {
            return null;
        }
    }
}
