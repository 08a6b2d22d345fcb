using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Aggregation;
using CSsl.Silo.Handshake;
using CSsl.Silo.Lifecycle;
using CSsl.Silo.Links;
using CSsl.Silo.Proxy;
using CSsl.Silo.Sessions;
using CSsl.Silo.Transport;
using CSsl.Tls.Engines;
using CSsl.Tls.Handshake;
using CSsl.Tls.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo;

/// <summary>Makes a host a silo.</summary>
public static class SiloHosting
{
    /// <summary>Adds everything of a silo, with the roles that the configuration names, to a builder of <see cref="CsslConfiguration"/>.</summary>
    /// <exception cref="ConfigurationException">A key file, a certificate or a setting that can't be used: says which and why.</exception>
    public static WebApplicationBuilder AddCsslSilo(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        if (settings.Silo.Roles == SiloRoles.None)
            throw new ConfigurationException($"{SiloOptions.Section}:{nameof(SiloOptions.Roles)} names no role: a silo does Handshake, Data, or both");

        // Through a function, so that the container disposes what it holds: keys are wiped.
        var clusterKey = KeyFiles.ReadClusterKey(settings.Cluster);
        builder.Services.AddSingleton(_ => clusterKey);

        // Orleans first: hosted services stop in reverse, and everything else of a silo needs it to the end.
        builder.AddClusterSilo(settings.Cluster, settings.Silo, clusterKey.Memory);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = CsslHost.StopTime(settings.Silo.DrainTime));
        builder.Services.AddMetrics();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<ClusterViewHolder>();
        builder.Services.AddDescriptorBudget(new DescriptorUser(IsGateway: false, IsSilo: true));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, PacedTransport>());
        AddSessions(builder, settings);
        var capabilities = SiloCapabilities.Of(settings.Silo, settings.Certificates.Count > 0, ProxyHosting.HasRoutes(builder.Configuration));
        builder.Services.AddSingleton(capabilities);
        if (capabilities.Roles.HasFlag(SiloRoles.Data))
            builder.AddProxy();

        var identity = new LinkIdentity(settings.Silo.Name, settings.Cluster.Id);
        builder.Services.AddSingleton<ILinkAcceptor, SiloLinkAcceptor>();
        builder.Services.AddSingleton<LinkMetrics>();
        AddHosted(builder.Services, services => ActivatorUtilities.CreateInstance<SiloLinks>(services,
            new LinkSetup(identity, services.GetRequiredService<SecretBytes>().Memory, settings.Link, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<DataLink>>(),
                services.GetRequiredService<IRecordEngine>(), services.GetRequiredService<IRecordRunner>())));

        builder.Services.AddSingleton(new SiloStatus(settings.Silo.Roles));
        builder.Services.AddSingleton<LoadMeter>();
        builder.Services.AddSingleton<EngineMeter>();
        AddHosted<SiloReporter>(builder.Services);
        AddHosted<SealingKeyFollower>(builder.Services);
        AddHosted<HandshakeLaneStarter>(builder.Services);
        AddHosted<SiloReconciler>(builder.Services);
        AddHosted<SessionRegistrar>(builder.Services);
        AddHosted<StalledClients>(builder.Services);
        AddHosted<ResumptionJanitor>(builder.Services);
        AddHosted<Hibernation>(builder.Services);
        AddHosted<TakeoverLog>(builder.Services);
        builder.Services.AddSingleton<SessionDrain>();
        AddHosted<SiloDrain>(builder.Services);
        builder.AddSiloAdmin(settings.Silo);
        return builder;
    }

    private static void AddSessions(WebApplicationBuilder builder, CsslSettings settings)
    {
        var services = builder.Services;

        // Through a function, as the cluster key.
        var ring = KeyFiles.ReadSealingKeys(settings.Cluster);
        services.AddSingleton(provider => new SharedKeyRing(ring, settings.Cluster.SealingKeyRetention, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new Sealer(provider.GetRequiredService<SharedKeyRing>(), provider.GetRequiredService<TimeProvider>()));
        AddHosted(services, provider => ActivatorUtilities.CreateInstance<SealingKeyKeeper>(provider, settings.Cluster));
        services.AddSingleton<SessionTable>();
        services.AddSingleton<SessionClaims>();
        services.AddSingleton<HandshakeMetrics>();
        services.AddSingleton<DataMetrics>();
        services.AddRecordEngine(settings.Engine);
        services.AddAggregation();
        services.AddSingleton<HandshakeLanes>();
        services.AddSingleton<ResumptionMetrics>();
        AddHosted<ResumptionStore>(services);
        services.AddSingleton<TlsConnectionHost>();
        services.AddSingleton<DecryptedListener>();
        services.AddSingleton<IConnectionListenerFactory, DecryptedTransportFactory>();

        var vault = new CertificateVault(() => Certificates.CreateFactory(settings.Certificates, settings.Resumption));

        // Loaded here and now where the role is there from the start: a bad certificate is an error of the configuration.
        if (settings.Silo.Roles.HasFlag(SiloRoles.Handshake))
            vault.Open();
        services.AddSingleton(_ => vault);
        services.AddSingleton<IServerHandshakeFactory>(static provider => provider.GetRequiredService<CertificateVault>());
        services.AddSingleton<CertificateLog>();
        AddHosted<TicketKeyKeeper>(services);
    }

    private static void AddHosted<T>(IServiceCollection services)
        where T : class, IHostedService
        => AddHosted(services, static provider => ActivatorUtilities.CreateInstance<T>(provider));

    private static void AddHosted<T>(IServiceCollection services, Func<IServiceProvider, T> create)
        where T : class, IHostedService
    {
        services.AddSingleton(create);
        services.AddHostedService(static provider => provider.GetRequiredService<T>());
    }
}
