using CSsl.Gateway.Admin;
using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Lifecycle;
using CSsl.Gateway.Links;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tls.Engines;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
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
    /// <summary>Adds everything of a gateway to a builder of <see cref="CsslConfiguration"/>. Where the same process is a silo too, that comes first.</summary>
    /// <exception cref="ConfigurationException">The cluster key or the record engine can't be used, or no database is named.</exception>
    public static WebApplicationBuilder AddCsslGateway(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        // Through a function, so that the container disposes what it holds: keys are wiped.
        var clusterKey = KeyFiles.ReadClusterKey(settings.Cluster);
        builder.Services.AddSingleton(_ => clusterKey);

        // Orleans first: hosted services stop in reverse.
        builder.AddClusterClient(settings.Cluster, clusterKey.Memory);
        var services = builder.Services;
        services.Configure<HostOptions>(options => options.ShutdownTimeout = Longer(options.ShutdownTimeout, CsslHost.StopTime(settings.Gateway.DrainTime)));
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterViewHolder>();
        services.AddDescriptorBudget(new DescriptorUser(IsGateway: true, IsSilo: false));
        AddConnections(services);
        services.AddRecordEngine(settings.Engine);
        AddLinks(services, new LinkIdentity(settings.Gateway.Name, settings.Cluster.Id), settings.Link);

        services.AddSingleton<HostEnd>();
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
        services.AddSingleton(static provider => new ConnectionTable(provider.GetRequiredService<DescriptorBudget>().Clients));
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
        services.AddSingleton<ClientRoom>();
        services.AddSingleton<IAcceptRoom>(static provider => provider.GetRequiredService<ClientRoom>());
        services.AddHostedService(static provider => provider.GetRequiredService<ClientRoom>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, PacedTransport>());
        services.AddSingleton<GatewaySessions>();
        services.AddHostedService<CapsuleRenewal>();
    }

    private static void AddLinks(IServiceCollection services, LinkIdentity self, LinkOptions options)
    {
        services.AddSingleton(provider => new SiloLinks(
            provider.GetRequiredService<ClusterViewHolder>(),
            new LinkSetup(self, provider.GetRequiredService<SecretBytes>().Memory, options, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DataLink>>(),
                provider.GetRequiredService<IRecordEngine>()),
            provider.GetRequiredService<ILogger<SiloLinks>>()));
        services.AddHostedService(static provider => provider.GetRequiredService<SiloLinks>());
    }
}
