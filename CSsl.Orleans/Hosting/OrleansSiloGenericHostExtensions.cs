using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Cluster;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Microsoft.Extensions.Hosting;

/// <summary>Makes a host a silo.</summary>
public static class OrleansSiloGenericHostExtensions
{
    /// <summary>Adds a silo to the host. Its grain factory and cluster client are among the host's services.</summary>
    /// <exception cref="OrleansConfigurationException">The host has a cluster client already: a silo has one built in.</exception>
    public static IHostApplicationBuilder UseOrleans(this IHostApplicationBuilder hostAppBuilder, Action<ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostAppBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        configureDelegate(AddSilo(hostAppBuilder.Services, hostAppBuilder.Configuration));
        return hostAppBuilder;
    }

    /// <inheritdoc cref="UseOrleans(IHostApplicationBuilder, Action{ISiloBuilder})"/>
    public static IHostBuilder UseOrleans(this IHostBuilder hostBuilder, Action<HostBuilderContext, ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        return hostBuilder.ConfigureServices((context, services) => configureDelegate(context, AddSilo(services, context.Configuration)));
    }

    /// <inheritdoc cref="UseOrleans(IHostApplicationBuilder, Action{ISiloBuilder})"/>
    public static IHostBuilder UseOrleans(this IHostBuilder hostBuilder, Action<ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(configureDelegate);
        return UseOrleans(hostBuilder, (_, silo) => configureDelegate(silo));
    }

    private static SiloBuilder AddSilo(IServiceCollection services, IConfiguration configuration)
    {
        if (services.Any(static s => s.ServiceType == typeof(IClientBuilder)))
            throw new OrleansConfigurationException("UseOrleans after UseOrleansClient: a silo has a client built in; leave UseOrleansClient out.");

        var builder = new SiloBuilder(services, configuration);
        if (services.Any(static s => s.ServiceType == typeof(ISiloBuilder)))
            return builder;
        services.AddSingleton<ISiloBuilder>(builder);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(static _ => new GrainTypes(GrainTypes.ApplicationAssemblies()));
        services.AddSingleton<Silo>();
        services.AddSingleton<ILocalSiloDetails>(static s => s.GetRequiredService<Silo>());
        services.AddSingleton<IClusterClient>(static s => s.GetRequiredService<Silo>().Client);
        services.AddSingleton<IGrainFactory>(static s => s.GetRequiredService<IClusterClient>());
        services.AddHostedService(static s => s.GetRequiredService<Silo>());
        return builder;
    }

    private sealed record SiloBuilder(IServiceCollection Services, IConfiguration Configuration) : ISiloBuilder;
}
