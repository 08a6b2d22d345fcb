using System.Net.Sockets;
using CSsl.Tests.Support;
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

    [Fact]
    public async Task Silo_that_left_sends_callers_away_until_none_comes_for_a_moment()
    {
        await using var cluster = new TestCluster();
        var time = new HeldTimers();
        var s1 = await cluster.StartSiloAsync("s1", time);
        var s2 = await cluster.StartSiloAsync("s2");
        var client = await cluster.StartClientAsync();
        var key = s1.KeyOwnedBy(s1, s2);
        Assert.Equal("s1", await client.Echo(key).Where());
        var table = await cluster.OpenTableAsync();

        var stopping = s1.StopAsync();
        await Eventually.TrueAsync(async () => !(await table.ReadAsync()).IsAlive(s1.Address()), "s1 is out");

        // No time passes for it: it still listens.
        Assert.Equal("s2", await client.Echo(key).Where());
        using (var late = new TcpClient())
            await late.ConnectAsync(s1.Address().Endpoint);
        Assert.False(stopping.IsCompleted);
        time.Release();
        await stopping;
    }

    /// <summary>The clock as it is, and timers that wait for the test.</summary>
    private sealed class HeldTimers : TimeProvider
    {
        private readonly Lock _gate = new();
        private readonly List<Held> _held = [];
        private bool _isReleased;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            lock (_gate)
            {
                if (_isReleased)
                    return base.CreateTimer(callback, state, dueTime, period);
                var held = new Held(callback, state);
                _held.Add(held);
                return held;
            }
        }

        public void Release()
        {
            List<Held> held;
            lock (_gate)
                (_isReleased, held) = (true, [.. _held]);
            held.ForEach(static timer => timer.Fire());
        }

        private sealed class Held(TimerCallback callback, object? state) : ITimer
        {
            private volatile bool _isOver;

            public void Fire()
            {
                if (!_isOver)
                    callback(state);
            }

            public bool Change(TimeSpan dueTime, TimeSpan period) => !_isOver;

            public void Dispose() => _isOver = true;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
