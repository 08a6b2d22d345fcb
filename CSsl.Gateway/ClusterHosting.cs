using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using ClusterOptions = CSsl.Hosting.Configuration.ClusterOptions;
using GatewayOptions = Orleans.Configuration.GatewayOptions;

namespace CSsl.Gateway;

/// <summary>Makes the gateway a client of the cluster's grains.</summary>
internal static class ClusterHosting
{
    /// <summary>Adds the client, unless a silo in the same process (<c>cssl serve</c>) has one built in.</summary>
    /// <exception cref="ConfigurationException">No database is named.</exception>
    public static void AddClusterClient(this WebApplicationBuilder builder, ClusterOptions cluster, ReadOnlyMemory<byte> clusterKey)
    {
        if (builder.Services.Any(static service => service.ServiceType == typeof(IGrainFactory)))
            return;

        CSsl.Hosting.ClusterHosting.Check(cluster);
        var (clusterId, invariant, connectionString) = builder.AddClusterDatabase(cluster, clusterKey);
        builder.QuietOrleans();
        builder.UseOrleansClient(client =>
        {
            client.Configure<Orleans.Configuration.ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, cluster.Id));
            client.Configure<ClientMessagingOptions>(CSsl.Hosting.ClusterHosting.SetLimits);
            client.UseClusterTls(cluster, clusterKey.Span);
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
            client.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (invariant, connectionString));

            client.UseConnectionRetryFilter<FirstSiloWait>();
        });
    }
}

/// <summary>Without it a gateway that starts before the first silo would end. It waits instead, and says for which cluster: the name may be mistyped.</summary>
internal sealed partial class FirstSiloWait(IOptions<ClusterOptions> cluster, TimeProvider time, ILogger<FirstSiloWait> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>A cluster that starts as a whole has its first silo by then: nothing to tell anybody.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly long _startedAt = time.GetTimestamp();
    private bool _isTold;

    /// <inheritdoc/>
    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (!_isTold && time.GetElapsedTime(_startedAt) >= Patience)
        {
            _isTold = true;
            LogWaiting(logger, cluster.Value.Id);
        }

        await Task.Delay(Interval, time, cancellationToken);
        return true;
    }

    [LoggerMessage(EventId = 250, Level = LogLevel.Warning, Message = "Waiting for the first silo of cluster {Cluster} (Cluster:Id); until then nothing is answered, /livez neither")]
    private static partial void LogWaiting(ILogger logger, string cluster);
}
