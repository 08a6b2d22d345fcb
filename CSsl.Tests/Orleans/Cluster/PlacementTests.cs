using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class PlacementTests
{
    [Fact]
    public async Task Grain_has_one_activation_when_called_from_every_process()
    {
        await using var cluster = new TestCluster();
        var hosts = new[] { await cluster.StartSiloAsync("s1"), await cluster.StartSiloAsync("s2"), await cluster.StartSiloAsync("s3"), await cluster.StartClientAsync() };

        var calls = from i in Enumerable.Range(0, 200) from key in new[] { "a", "b", "c" } select Task.Run(() => hosts[i % 4].Echo(key).Add(1));
        await Task.WhenAll(calls);

        foreach (var key in new[] { "a", "b", "c" })
            Assert.Equal(200, await hosts[0].Echo(key).Add(0));
        Assert.Equal(3, cluster.Events.All.Count);
    }

    [Fact]
    public async Task Grains_are_spread_over_the_silos_when_placed_by_the_engine()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync("s1");
        await cluster.StartSiloAsync("s2");

        var places = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => silo.Echo($"k{i}").Where().AsTask()));

        Assert.Contains("s1", places);
        Assert.Contains("s2", places);
    }

    [Fact]
    public async Task Prefer_local_grain_is_on_the_silo_that_called_first_and_found_by_the_others()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();

        for (var i = 0; i < 20; i++)
        {
            var key = Guid.NewGuid();
            Assert.Equal("s2", await s2.Grains().GetGrain<ILocalGrain>(key).Where());
            Assert.Equal("s2", await s1.Grains().GetGrain<ILocalGrain>(key).Where());
            Assert.Equal("s2", await client.Grains().GetGrain<ILocalGrain>(key).Where());
        }
    }

    [Fact]
    public async Task Grain_stays_where_it_is_when_a_silo_joins_that_owns_its_key()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        for (var i = 0; i < 40; i++)
            await s1.Echo($"k{i}").Add(i);

        var s2 = await cluster.StartSiloAsync("s2");
        var s3 = await cluster.StartSiloAsync("s3");

        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(i, await s2.Echo($"k{i}").Add(0));
            Assert.Equal(i, await s3.Echo($"k{i}").Add(0));
        }
        Assert.Equal(40, cluster.Events.All.Count);
    }

    [Fact]
    public async Task Grains_go_on_elsewhere_when_their_silo_stops()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();
        var key = s1.KeyOwnedBy(s1, s2);
        Assert.Equal("s1", await client.Echo(key).Where());

        using var stop = new CancellationTokenSource();
        var calling = Task.Run(async () =>
        {
            var places = new List<string>();
            while (!stop.IsCancellationRequested)
                places.Add(await client.Echo(key).Where());
            return places;
        });
        await s1.StopAsync();
        Assert.Equal("s2", await client.Echo(key).Where());
        await stop.CancelAsync();

        // Not one call failed.
        Assert.Subset(new HashSet<string> { "s1", "s2" }, (await calling).ToHashSet());
        Assert.Contains($"deactivated {key} s1 ShuttingDown", cluster.Events.All);
    }
}
