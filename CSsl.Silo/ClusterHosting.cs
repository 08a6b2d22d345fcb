using CSsl.Grains.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
#if CLUSTER_ORLEANS
using System.Net;
using CSsl.Grains.Hosting;
using Orleans.Configuration;
using ClusterOptions = CSsl.Grains.Configuration.ClusterOptions;
using SiloOptions = CSsl.Grains.Configuration.SiloOptions;
#endif

namespace CSsl.Silo;

/// <summary>The silo's cluster engine: the one file of this host that knows which one it is.</summary>
internal static class ClusterHosting
{
    /// <exception cref="ConfigurationException">No database is named.</exception>
    public static void AddClusterEngine(this WebApplicationBuilder builder, ClusterOptions cluster, SiloOptions silo, ReadOnlyMemory<byte> clusterKey)
    {
        if (string.IsNullOrEmpty(cluster.Database))
            throw new ConfigurationException($"{ClusterOptions.Section}:{nameof(ClusterOptions.Database)} is not set: it is where the processes of a cluster find each other");
#if CLUSTER_ORLEANS
        // Orleans proves membership by access to the database; the cluster key is for the data links.
        _ = clusterKey;
        const string Invariant = "Npgsql";
        var endpoint = HostPort.Parse(silo.Grains);
        if (endpoint.Port == 0)
            throw new ConfigurationException($"{SiloOptions.Section}:{nameof(SiloOptions.Grains)} needs a port with Microsoft Orleans; gateways use the one after it");
        builder.UseOrleans(orleans =>
        {
            orleans.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.Id, cluster.Id));
            orleans.Configure<Orleans.Configuration.SiloOptions>(options => options.SiloName = silo.Name);
            orleans.Configure<EndpointOptions>(options =>
            {
                options.AdvertisedIPAddress = endpoint.Address;
                options.SiloPort = endpoint.Port;
                options.GatewayPort = endpoint.Port + 1;
                options.SiloListeningEndpoint = endpoint;
                options.GatewayListeningEndpoint = new IPEndPoint(endpoint.Address, endpoint.Port + 1);
            });
            orleans.Configure<ClusterMembershipOptions>(options =>
            {
                // Recovers in about a second after a silo died (docs/architecture.md); clients never wait for it, the links break at once.
                options.ProbeTimeout = TimeSpan.FromSeconds(1);
                options.NumMissedProbesLimit = 2;
                options.NumVotesForDeathDeclaration = 1;
            });
            orleans.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(3));
            orleans.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (Invariant, cluster.Database));
            orleans.AddAdoNetGrainStorageAsDefault(options => (options.Invariant, options.ConnectionString) = (Invariant, cluster.Database));
        });
#else
        builder.UseOrleans(engine => engine.UseEmbeddedCluster(new EmbeddedClusterOptions
        {
            ClusterId = cluster.Id,
            Database = cluster.Database,
            ClusterKey = clusterKey,
            SiloName = silo.Name,
            Listen = silo.Grains,
        }));
#endif
    }
}
