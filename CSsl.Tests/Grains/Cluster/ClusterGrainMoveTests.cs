using CSsl.Database;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>The cluster grain in Orleans: its silo goes, and what is known and ordered stays.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "xunit calls DisposeAsync.")]
public sealed class ClusterGrainMoveTests : IAsyncLifetime
{
    private readonly TempDirectory _folder = new();
    private readonly PushedGateway _gateway = new();
    private ClusterDatabase _database = null!;
    private IGatewayObserver? _reference;

    public async ValueTask InitializeAsync()
    {
        _database = ClusterDatabase.Of(_folder.File("cluster.db"));
        await _database.PrepareAsync();
    }

    public ValueTask DisposeAsync()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Grain_that_moves_while_reports_are_slow_is_believed_and_loses_no_silo_that_lives()
    {
        await using var cluster = await StartAsync(2);
        var grain = cluster.Client.GetGrain<IClusterGrain>(0);
        await grain.GetView(CancellationToken.None);
        var host = await cluster.Client.GetGrain<IManagementGrain>(0).GetActivationAddress(grain);
        var (dying, living) = cluster.Silos[0].SiloAddress.Equals(host) ? (cluster.Silos[0], cluster.Silos[1]) : (cluster.Silos[1], cluster.Silos[0]);
        await ReportAsync(grain, "dying", dying.SiloAddress);
        await ReportAsync(grain, "living", living.SiloAddress);
        await ReportAsync(cluster, grain);
        await Eventually.TrueAsync(() => Names() is ["dying", "living"], "both are pushed");
        var order = (await grain.Command(new SiloCommand { Silo = "living", Mode = RoleMode.Auto }, CancellationToken.None)).Order!;
        await Eventually.TrueAsync(() => _gateway.View.Current.OrderFor("living") == order, "the order is pushed");
        var before = _gateway.View.Current.Version;

        await cluster.StopSiloAsync(dying);
        await ReportAsync(cluster, grain);
        var youngSince = TimeProvider.System.GetTimestamp();
        Assert.True(_gateway.View.Current.Version > before);
        Assert.Equal(["dying", "living"], Names());
        Assert.Equal([order], _gateway.View.Current.Orders);

        // The report of the one that lives comes after the time that a young grain has anyway.
        await Eventually.TrueAsync(() => TimeProvider.System.GetElapsedTime(youngSince) > ClusterRoster.SettleTime, "the grain is old");
        Assert.True((await grain.GetView(CancellationToken.None)).Settling);
        await ReportAsync(cluster, grain);
        Assert.Equal(["dying", "living"], Names());

        await ReportAsync(grain, "living", living.SiloAddress);
        await Eventually.TrueAsync(
            async () =>
            {
                await ReportAsync(cluster, grain);
                return Names() is ["living"];
            },
            "the view without the one that is dead");
        Assert.Equal([order], _gateway.View.Current.Orders);
    }

    [Fact]
    public async Task Orders_and_epochs_outlive_the_only_silo()
    {
        SiloOrder order;
        ViewVersion version;
        await using (var cluster = await StartAsync(1))
        {
            var grain = cluster.Client.GetGrain<IClusterGrain>(0);
            await ReportAsync(grain, "only", cluster.Silos[0].SiloAddress);
            order = (await grain.Command(new SiloCommand { Silo = "only", Roles = SiloRoles.Data, Force = true }, CancellationToken.None)).Order!;
            version = (await grain.GetView(CancellationToken.None)).Version;
        }

        await using var next = await StartAsync(1);
        var again = next.Client.GetGrain<IClusterGrain>(0);
        await ReportAsync(again, "only", next.Silos[0].SiloAddress);
        var view = await again.GetView(CancellationToken.None);
        Assert.Equal([order], view.Orders);
        Assert.Equal("ordered", Assert.Single(view.Decisions).Reason);
        Assert.True(view.Version > version && view.Version.Epoch == version.Epoch + 1);
    }

    private string[] Names() => [.. _gateway.View.Current.Silos.Select(static silo => silo.Name)];

    private Task<InProcessTestCluster> StartAsync(short silos) => GrainCluster.StartAsync(silos, silo =>
    {
        silo.KeepIn(_database);
        silo.Services.AddOptions<ClusterOptions>();
    });

    private static async Task ReportAsync(IClusterGrain grain, string name, SiloAddress address)
        => await grain.ReportSilo(Reports.Silo(name, address: address) with { CapableRoles = SiloRoles.Handshake | SiloRoles.Data }, null, default, CancellationToken.None);

    /// <summary>Reports as a gateway does, and asks for the view where that would.</summary>
    private async Task ReportAsync(InProcessTestCluster cluster, IClusterGrain grain)
    {
        _reference ??= cluster.Client.CreateObjectReference<IGatewayObserver>(_gateway);
        if (_gateway.View.IsBehind(await grain.ReportGateway(Reports.Gateway("g"), _reference, _gateway.View.Current.Version, CancellationToken.None)) || _gateway.TakeMissed())
            _gateway.View.Update(await grain.GetView(CancellationToken.None));
    }
}
