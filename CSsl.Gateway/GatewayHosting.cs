using CSsl.Gateway.Admin;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Lifecycle;
using CSsl.Gateway.Links;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway;

/// <summary>Makes a host a gateway.</summary>
public static class GatewayHosting
{
    /// <summary>For what is left to do when the last connection is gone.</summary>
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(10);

    /// <summary>Adds everything of a gateway to a builder of <see cref="CsslConfiguration"/>. Where the same process is a silo too, that comes first.</summary>
    /// <exception cref="ConfigurationException">The cluster key can't be used, or no database is named.</exception>
    public static WebApplicationBuilder AddCsslGateway(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        byte[] clusterKey;
        using (var key = KeyFiles.ReadClusterKey(settings.Cluster))
            clusterKey = key.Span.ToArray();

        // Orleans first: hosted services stop in reverse.
        builder.AddClusterClient(settings.Cluster, clusterKey);
        var services = builder.Services;
        services.Configure<HostOptions>(options => options.ShutdownTimeout = Longer(options.ShutdownTimeout, settings.Gateway.DrainTime + AfterDrain));
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterViewHolder>();
        AddConnections(services);
        AddLinks(services, new LinkIdentity(settings.Gateway.Name, settings.Cluster.Id), clusterKey, settings.Link);

        services.AddSingleton<GatewayStatus>();
        services.AddSingleton<GatewayObserver>();
        services.AddHostedService<GatewayReporter>();
        services.AddHostedService<GatewayDrain>();
        services.AddGatewayAdmin();
        services.AddTransient<IConfigureOptions<KestrelServerOptions>, GatewayListeners>();
        services.AddTransient<IConfigureOptions<SocketTransportOptions>, GatewayListeners>();
        return builder;
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static void AddConnections(IServiceCollection services)
    {
        services.AddSingleton(static provider => new ConnectionTable(provider.GetRequiredService<IOptions<LimitsOptions>>().Value));
        services.AddSingleton(static provider => new Deadlines(provider.GetRequiredService<IOptions<LimitsOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new HandshakeAdmission(
            provider.GetRequiredService<IOptions<LimitsOptions>>().Value, provider.GetRequiredService<ClusterViewHolder>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new HelloMemory(provider.GetRequiredService<IOptions<LimitsOptions>>().Value.HelloMemory));
        services.AddSingleton<GatewayMeters>();
        services.AddSingleton<RefusalLog>();
        services.AddSingleton(static provider => new ConnectionServices(
            provider.GetRequiredService<ConnectionTable>(),
            provider.GetRequiredService<HandshakeAdmission>(),
            provider.GetRequiredService<HelloMemory>(),
            provider.GetRequiredService<SiloLinks>(),
            provider.GetRequiredService<Deadlines>(),
            provider.GetRequiredService<IOptions<LimitsOptions>>().Value,
            provider.GetRequiredService<GatewayMeters>(),
            provider.GetRequiredService<RefusalLog>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ClientConnection>>()));
        services.AddSingleton<GatewayConnectionHandler>();
        services.AddSingleton<GatewaySessions>();
    }

    private static void AddLinks(IServiceCollection services, LinkIdentity self, byte[] clusterKey, LinkOptions options)
    {
        services.AddSingleton(provider => new SiloLinks(
            provider.GetRequiredService<ClusterViewHolder>(),
            new LinkSetup(self, clusterKey, options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DataLink>>()),
            provider.GetRequiredService<ILogger<SiloLinks>>()));
        services.AddHostedService(static provider => provider.GetRequiredService<SiloLinks>());
    }
}
