using CSsl.Grains.Aggregation;
using CSsl.Grains.Placement;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Aggregation;

public sealed class AggregationServiceTests
{
    [Fact]
    public async Task Each_silo_has_its_own_which_clients_reach_by_the_silos_name_and_silos_by_its_address()
    {
        await using InProcessTestCluster cluster = await StartAsync(2);
        foreach (var silo in cluster.Silos)
            Of(silo).Name = silo.Name;

        foreach (var silo in cluster.Silos)
        {
            Assert.Equal(silo.Name, (await cluster.Client.GetGrain<IAggregationGrain>(silo.Name).Show(CancellationToken.None)).Engine);
            foreach (var other in cluster.Silos)
                Assert.Equal(other.Name, (await silo.ServiceProvider.GetRequiredService<IAggregationServiceClient>().Of(other.SiloAddress).Show(CancellationToken.None)).Engine);
        }
    }

    [Fact]
    public async Task Settings_change_on_one_silo_and_what_is_left_out_stays()
    {
        await using InProcessTestCluster cluster = await StartAsync(2);
        var grain = cluster.Client.GetGrain<IAggregationGrain>(cluster.Silos[0].Name);

        Assert.Equal(7, (await grain.Change(new AggregationChange { RecordsPerCall = 7 }, CancellationToken.None)).RecordsPerCall);
        var now = await grain.Change(new AggregationChange { MaxDelay = TimeSpan.FromMilliseconds(2) }, CancellationToken.None);

        Assert.Equal((7, TimeSpan.FromMilliseconds(2)), (now.RecordsPerCall, now.MaxDelay));
        Assert.Equal((7, 2, 1024), (Of(cluster.Silos[0]).RecordsPerCall, Of(cluster.Silos[0]).MaxDelay.Milliseconds, Of(cluster.Silos[1]).RecordsPerCall));
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(65_537, null)]
    [InlineData(null, 10.1)]
    [InlineData(null, -1.0)]
    public async Task Settings_that_can_not_be_change_nothing(int? records, double? milliseconds)
    {
        await using InProcessTestCluster cluster = await StartAsync(1);
        var change = new AggregationChange { RecordsPerCall = records, MaxDelay = milliseconds is { } delay ? TimeSpan.FromMilliseconds(delay) : null };

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await cluster.Client.GetGrain<IAggregationGrain>(cluster.Silos[0].Name).Change(change, CancellationToken.None));

        Assert.Equal((1024, TimeSpan.Zero), (Of(cluster.Silos[0]).RecordsPerCall, Of(cluster.Silos[0]).MaxDelay));
    }

    private static Task<InProcessTestCluster> StartAsync(int silos) => GrainCluster.StartAsync(silos, static silo =>
    {
        silo.AddPinnedPlacement();
        silo.AddAggregationService();
        silo.Services.AddSingleton<FakeAggregation>();
        silo.Services.AddSingleton<IRecordAggregation>(static services => services.GetRequiredService<FakeAggregation>());
    });

    private static FakeAggregation Of(InProcessSiloHandle silo) => silo.ServiceProvider.GetRequiredService<FakeAggregation>();

    private sealed class FakeAggregation : IRecordAggregation
    {
        public string Name { get; set; } = "";

        public int RecordsPerCall { get; private set; } = 1024;

        public TimeSpan MaxDelay { get; private set; }

        public AggregationStatus Status => new() { Engine = Name, Lanes = 1, RecordsPerCall = RecordsPerCall, MaxDelay = MaxDelay, Batches = [1, 2] };

        public void Change(AggregationChange change) => (RecordsPerCall, MaxDelay) = (change.RecordsPerCall ?? RecordsPerCall, change.MaxDelay ?? MaxDelay);
    }
}
