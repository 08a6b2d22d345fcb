using System.Net;
using CSsl.Database;
using CSsl.Grains.Aggregation;
using CSsl.Grains.Handshake;
using CSsl.Grains.Placement;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Lifecycle;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.MembershipService;
using Orleans.Serialization;
using Orleans.Storage;
using ClusterOptions = CSsl.Hosting.Configuration.ClusterOptions;
using SiloOptions = CSsl.Hosting.Configuration.SiloOptions;

namespace CSsl.Silo;

/// <summary>Makes the process a silo of the cluster.</summary>
internal static class ClusterHosting
{
    /// <exception cref="ConfigurationException">No database is named, or no address that others could reach.</exception>
    public static void AddClusterSilo(this WebApplicationBuilder builder, ClusterOptions cluster, SiloOptions silo, ReadOnlyMemory<byte> clusterKey)
    {
        CSsl.Hosting.ClusterHosting.Check(cluster);
        var (silos, clients) = Endpoints(silo, builder.Services);
        var (clusterId, invariant, connectionString) = builder.AddClusterDatabase(cluster, clusterKey);
        var database = ClusterDatabase.Of(cluster.Database!);
        builder.Services.AddHostedService(_ => new SiloNameCheck(database, clusterId, silo.Name, TimeProvider.System));
        builder.QuietOrleans();
        builder.UseOrleans(orleans =>
        {
            orleans.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, cluster.Id));
            orleans.Configure<Orleans.Configuration.SiloOptions>(options => options.SiloName = silo.Name);
            orleans.Configure<EndpointOptions>(options =>
            {
                options.AdvertisedIPAddress = silos.Address;
                options.SiloPort = silos.Port;
                options.GatewayPort = clients.Port;
                options.SiloListeningEndpoint = silos;
                options.GatewayListeningEndpoint = clients;
            });
            orleans.Configure<ClusterMembershipOptions>(options =>
            {
                // A dead silo is out after 1 to 2 s; clients never wait for it, the links break at once. One that hangs is out after at least
                // MaxProbeTimeout x NumMissedProbesLimit: so long no vote counts against a silo that was heard. By default that is 4 x ProbeTimeout each.
                options.ProbeTimeout = TimeSpan.FromMilliseconds(750);
                options.MaxProbeTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedProbesLimit = 3;

                // No silo that is itself in trouble evicts another alone. Of two that are left the one is enough: Orleans asks for half of those that live.
                options.NumVotesForDeathDeclaration = 2;

                // By default a machine that is busy itself gives the others several times as long.
                options.ExtendProbeTimeoutDuringDegradation = false;

                // How long one that was declared dead while it hung goes on before it knows.
                options.TableRefreshTimeout = TimeSpan.FromSeconds(5);

                // A silo that starts must reach all that seem to live. With the default, those that died together with everybody seem to for 90 s.
                options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
            });
            orleans.Configure<SiloMessagingOptions>(CSsl.Hosting.ClusterHosting.SetLimits);
            orleans.UseClusterTls(cluster, clusterKey.Span);
            orleans.Configure<GrainCollectionOptions>(options =>
            {
                options.CollectionAge = TimeSpan.FromMinutes(15);
                options.DeactivationTimeout = TimeSpan.FromSeconds(5);
            });

            // By default each silo tells all others its load every second. No placement here asks for it.
            orleans.Configure<DeploymentLoadPublisherOptions>(static options => options.DeploymentLoadPublisherRefreshTime = TimeSpan.FromMinutes(1));

            // Spread by key. Orleans's own default weighs CPU and memory of the process, which is what its clients' bytes cost, not its grains.
            orleans.Services.AddSingleton<PlacementStrategy, HashBasedPlacement>();
            orleans.AddPinnedPlacement();
            orleans.AddAggregationService();
            orleans.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (invariant, connectionString));
            orleans.UseMembershipTurns(database);
            orleans.UseClusterStorage(database);
            if (builder.Settings().Admin.OrleansDashboard)
                orleans.AddSiloDashboard();
        });

        if (builder.Services.Any(static service => service.ServiceType == typeof(ProcessEnd)))
        {
            builder.Services.AddSingleton<IFatalErrorHandler, FatalErrors>();

            // After Orleans, to be stopped before it.
            builder.Services.AddHostedService<LeaveDeadline>();
        }
    }

    /// <summary>Silos that come or go at once change the table one after another.</summary>
    private static void UseMembershipTurns(this ISiloBuilder orleans, ClusterDatabase database)
    {
        orleans.Services.AddSingleton(provider => new MembershipTurns(
            ActivatorUtilities.CreateInstance<AdoNetClusteringTable>(provider), database, provider.GetRequiredService<TimeProvider>()));
        orleans.Services.AddSingleton<IMembershipTable>(static provider => provider.GetRequiredService<MembershipTurns>());
        orleans.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static provider => provider.GetRequiredService<MembershipTurns>());
    }

    /// <summary>What grains keep, in the cluster's database.</summary>
    internal static void UseClusterStorage(this ISiloBuilder orleans, ClusterDatabase database)
        => orleans.AddResumptionStorage(database).AddAdoNetGrainStorageAsDefault(storage => storage.Configure<Serializer>((options, serializer) =>
        {
            (options.Invariant, options.ConnectionString) = (CSsl.Hosting.ClusterHosting.Invariant(database.Kind), database.ConnectionString);

            // By [Id], as between processes. The default is JSON that names types to load, taken from the database.
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));

    /// <summary>Where other silos and where gateways reach this one: the port of <see cref="SiloOptions.Grains"/> and the one after it; two free ones for port 0.</summary>
    private static (IPEndPoint Silos, IPEndPoint Clients) Endpoints(SiloOptions silo, IServiceCollection services)
    {
        var endpoint = HostPort.Parse(silo.Grains);
        if (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any))
            throw new ConfigurationException($"{SiloOptions.Section}:{nameof(SiloOptions.Grains)} is {silo.Grains}: Orleans needs the address at which other silos and gateways reach this one");
        if (endpoint.Port > 0)
            return (endpoint, new IPEndPoint(endpoint.Address, endpoint.Port + 1));

        // Orleans can't listen on port 0. Both are held until the host is gone.
        return (Hold(), Hold());

        IPEndPoint Hold()
        {
            var port = new HeldPort(endpoint);
            services.AddSingleton(_ => port);
            return port.EndPoint;
        }
    }
}
