using CSsl.Grains.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Hosting;

namespace CSsl.Gateway;

/// <summary>Makes the gateway a client of the cluster's grains: the one file of this host that knows which engine there is.</summary>
internal static class ClusterHosting
{
    /// <summary>Adds the client, unless a silo in the same process (<c>cssl serve</c>) has one built in.</summary>
    /// <exception cref="ConfigurationException">No database is named.</exception>
    public static void AddClusterClient(this WebApplicationBuilder builder, ClusterOptions cluster, ReadOnlyMemory<byte> clusterKey)
    {
        if (builder.Services.Any(static service => service.ServiceType == typeof(IGrainFactory)))
            return;

        if (string.IsNullOrEmpty(cluster.Database))
            throw new ConfigurationException($"{ClusterOptions.Section}:{nameof(ClusterOptions.Database)} is not set: it is where the processes of a cluster find each other");
#if CLUSTER_ORLEANS
        // Orleans proves membership by access to the database; the cluster key is for the data links.
        _ = clusterKey;
        builder.UseOrleansClient(client =>
        {
            client.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.Id, cluster.Id));
            client.Configure<Orleans.Configuration.ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(2));
            client.Configure<Orleans.Configuration.GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
            client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", cluster.Database));

            // Without it a gateway that starts before the first silo would end.
            client.UseConnectionRetryFilter(static async (_, cancellationToken) =>
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
                return true;
            });
        });
#else
        builder.UseOrleansClient(client => client.UseEmbeddedCluster(new EmbeddedClusterOptions
        {
            ClusterId = cluster.Id,
            Database = cluster.Database,
            ClusterKey = clusterKey,
        }));
#endif
    }
}
