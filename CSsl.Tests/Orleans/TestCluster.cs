using System.Security.Cryptography;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Hosting;

namespace CSsl.Tests.Orleans;

/// <summary>Real silos and clients in the test's own process, on free ports, with a database of their own.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly List<IHost> _hosts = [];

    public GrainEvents Events { get; } = new();

    public string Database => _folder.File("cluster.db");

    public byte[] Key { get; } = RandomNumberGenerator.GetBytes(32);

    public async Task<IHost> StartSiloAsync(string name = "s1", Func<EmbeddedClusterOptions, EmbeddedClusterOptions>? configure = null, TimeProvider? time = null)
    {
        var builder = CreateBuilder(time);
        builder.UseOrleans(silo => silo.UseEmbeddedCluster(Options(name, configure)));
        return await StartAsync(builder);
    }

    public async Task<IHost> StartClientAsync(Func<EmbeddedClusterOptions, EmbeddedClusterOptions>? configure = null)
    {
        var builder = CreateBuilder(null);
        builder.UseOrleansClient(client => client.UseEmbeddedCluster(Options("client", configure)));
        return await StartAsync(builder);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts))
        {
            await host.StopAsync();
            host.Dispose();
        }
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    private EmbeddedClusterOptions Options(string name, Func<EmbeddedClusterOptions, EmbeddedClusterOptions>? configure)
    {
        var options = new EmbeddedClusterOptions { ClusterId = "test", Database = Database, ClusterKey = Key, SiloName = name };
        return configure is null ? options : configure(options);
    }

    private HostApplicationBuilder CreateBuilder(TimeProvider? time)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(Events);
        if (time is not null)
            builder.Services.AddSingleton(time);
        return builder;
    }

    private async Task<IHost> StartAsync(HostApplicationBuilder builder)
    {
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync();
        return host;
    }
}

/// <summary>Shorter ways to a host's grains.</summary>
public static class HostGrains
{
    public static IGrainFactory Grains(this IHost host) => host.Services.GetRequiredService<IGrainFactory>();

    public static IEchoGrain Echo(this IHost host, string key) => host.Grains().GetGrain<IEchoGrain>(key);
}
