using CSsl.Grains.Handshake;
using CSsl.Grains.Placement;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Silo;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Handshake;

/// <summary>Lanes in a real cluster: they are where their key says, and stay there.</summary>
public sealed class HandshakeLaneTests
{
    private const int Lanes = 32;
    private static readonly byte[] Hello = new HelloBuilder().ServerName("example.com").Records();
    private static readonly byte[] Finished = [20, 3, 3, 0, 1, 1];

    [Fact]
    public async Task Lanes_stay_with_their_handshakes_while_every_other_silo_is_killed_or_stopped()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 4);
        var home = cluster.Silos[^1];
        await OpenAsync(home);
        var (lanes, metrics) = (ActiveLanesOf(home), home.ServiceProvider.GetRequiredService<HandshakeMetrics>());
        var ids = lanes.Select(static _ => Guid.NewGuid()).ToArray();
        foreach (var (lane, id) in lanes.Zip(ids))
            Assert.Null((await AdvanceAsync(lane, id, Hello)).Error);
        Assert.Equal((Lanes, Lanes), (metrics.Lanes, metrics.InFlight));

        // Each of them kept a part of the directory.
        var silos = home.ServiceProvider.GetRequiredService<ISiloStatusOracle>();
        foreach (var (other, i) in cluster.Silos.Take(3).ToArray().Select(static (silo, i) => (silo, i)))
        {
            await (i % 2 == 0 ? cluster.KillSiloAsync(other) : cluster.StopSiloAsync(other));
            await Eventually.TrueAsync(() => silos.GetApproximateSiloStatus(other.SiloAddress) == SiloStatus.Dead, $"{other.Name} is dead", TestSilo.Patience);
            foreach (var (lane, id) in lanes.Zip(ids))
                Assert.Null((await AdvanceAsync(lane, id, Finished)).Error);
        }

        foreach (var (lane, id) in lanes.Zip(ids))
            Assert.NotNull((await AdvanceAsync(lane, id, Finished)).Established);
        Assert.Equal((Lanes, 0, (long)Lanes, 0L), (metrics.Lanes, metrics.InFlight, metrics.Completed, metrics.Failed));
    }

    [Fact]
    public async Task Lane_is_on_the_silo_that_its_key_names_whoever_calls_it()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 2);
        var (one, other) = (cluster.Silos[0], cluster.Silos[1]);

        foreach (var lane in LanesOf(one, other.Name).Concat(LanesOf(other, one.Name)).Append(cluster.Client.GetGrain<IHandshakeGrain>($"{one.Name}/{Lanes}")))
            await lane.Open(CancellationToken.None);

        Assert.Equal(Lanes + 1, one.ServiceProvider.GetRequiredService<HandshakeMetrics>().Lanes);
        Assert.Equal(Lanes, other.ServiceProvider.GetRequiredService<HandshakeMetrics>().Lanes);
    }

    [Fact]
    public async Task Lane_of_a_silo_that_does_not_live_is_refused()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 1);
        var error = await Assert.ThrowsAnyAsync<Exception>(async () => await cluster.Client.GetGrain<IHandshakeGrain>("nobody/0").Open(CancellationToken.None));
        Assert.Contains("no silo nobody", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retired_lanes_are_gone_and_can_be_opened_again()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 1);
        var silo = cluster.Silos[0];
        var (lanes, metrics) = (LanesOf(silo, silo.Name), silo.ServiceProvider.GetRequiredService<HandshakeMetrics>());
        await OpenAsync(silo);
        foreach (var lane in ActiveLanesOf(silo))
            Assert.Null((await AdvanceAsync(lane, Guid.NewGuid(), Hello)).Error);
        foreach (var lane in lanes)
            await lane.Retire(CancellationToken.None);

        await Eventually.TrueAsync(() => (metrics.Lanes, metrics.InFlight) == (0, 0), "lanes and handshakes are gone", TestSilo.Patience);
        await OpenAsync(silo);
        foreach (var lane in ActiveLanesOf(silo))
            Assert.Null((await AdvanceAsync(lane, Guid.NewGuid(), Hello)).Error);
        Assert.Equal((Lanes, Lanes), (metrics.Lanes, metrics.InFlight));
    }

    [Fact]
    public async Task Turn_that_comes_after_the_end_of_its_lane_begins_nothing()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 1);
        var silo = cluster.Silos[0];
        var metrics = silo.ServiceProvider.GetRequiredService<HandshakeMetrics>();
        await OpenAsync(silo);
        var lane = ActiveLanesOf(silo)[0];
        await LanesOf(silo, silo.Name)[0].Retire(CancellationToken.None);
        await Eventually.TrueAsync(() => metrics.Lanes == Lanes - 1, "the lane is gone", TestSilo.Patience);

        Assert.Equal(HandshakeFailure.RoleLost, (await AdvanceAsync(lane, Guid.NewGuid(), Hello)).Failure);
        Assert.Equal(0, metrics.InFlight);
    }

    [Fact]
    public async Task Lane_that_nobody_has_opened_is_opened_by_its_first_handshake()
    {
        await using InProcessTestCluster cluster = await StartAsync(silos: 1);
        var lanes = cluster.Silos[0].ServiceProvider.GetRequiredService<HandshakeLanes>();
        var id = Guid.NewGuid();
        Assert.Null(lanes.Of(id));

        var lane = await lanes.OpenAsync(id);

        Assert.Null((await AdvanceAsync(lane!, id, Hello)).Error);
        Assert.Same(lane, lanes.Of(id));
    }

    private static Task<InProcessTestCluster> StartAsync(int silos) => GrainCluster.StartAsync(silos, Configure, hasDirectoryOfParts: true);

    private static void Configure(ISiloBuilder silo)
    {
        silo.AddPinnedPlacement();
        var services = silo.Services;
        services.AddSingleton<IServerHandshakeFactory>(new ScriptedHandshakes
        {
            Steps = new([static h => h.NeedMore("1"), static h => h.NeedMore("2"), static h => h.NeedMore("3"), static h => h.NeedMore("4"), static h => h.Complete("5")]),
        });
        services.AddSingleton(static _ => new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test")))));
        services.AddMetrics();
        services.AddSingleton<HandshakeMetrics>();
        services.AddSingleton<HandshakeLanes>();
        services.AddOptions<SiloOptions>().Configure<ILocalSiloDetails>(static (options, silo) => (options.Name, options.Lanes) = (silo.Name, Lanes));
        services.AddOptions<LimitsOptions>();
    }

    private static IHandshakeGrain[] LanesOf(InProcessSiloHandle caller, string silo)
    {
        var grains = caller.ServiceProvider.GetRequiredService<IGrainFactory>();
        return [.. Enumerable.Range(0, Lanes).Select(lane => grains.GetGrain<IHandshakeGrain>($"{silo}/{lane}"))];
    }

    private static Task OpenAsync(InProcessSiloHandle silo)
        => Task.WhenAll(LanesOf(silo, silo.Name).Select(static lane => lane.Open(CancellationToken.None).AsTask()));

    private static IHandshakeLane[] ActiveLanesOf(InProcessSiloHandle silo)
    {
        var lanes = silo.ServiceProvider.GetRequiredService<HandshakeLanes>();
        return [.. Enumerable.Range(0, Lanes).Select(lane => lanes.Of($"{silo.Name}/{lane}") ?? throw new InvalidOperationException("The lane is not active."))];
    }

    private static Task<HandshakeAnswer> AdvanceAsync(IHandshakeLane lane, Guid id, byte[] records)
    {
        var answer = new TaskCompletionSource<HandshakeAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        lane.Post(_ => answer.SetResult(lane.Advance(new HandshakeRequest(id, TimeSpan.FromMinutes(1), DataSilo: null, records))), answer);
        return answer.Task;
    }
}
