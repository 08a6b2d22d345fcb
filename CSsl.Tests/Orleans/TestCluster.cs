using System.Security.Cryptography;
using CSsl.Database;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using LocalSilo = CSsl.EmbeddedCluster.Cluster.Silo;

namespace CSsl.Tests.Orleans;

/// <summary>Real silos and clients in the test's own process, on free ports, with a database of their own and short times.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly List<IHost> _hosts = [];

    public GrainEvents Events { get; } = new();

    public LogLines Log { get; } = new();

    /// <summary>A path or connection string; a SQLite file of the cluster's own, if nothing else is set.</summary>
    public string Database { get => field ?? _folder.File("cluster.db"); set; }

    public byte[] Key { get; set; } = RandomNumberGenerator.GetBytes(32);

    public string ClusterId { get; set; } = "test";

    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    public async Task<IHost> StartSiloAsync(string name = "s1", TimeProvider? time = null)
    {
        var builder = CreateBuilder(time);
        builder.UseOrleans(silo => silo.UseEmbeddedCluster(Options(name)));
        return await StartAsync(builder);
    }

    public async Task<IHost> StartClientAsync()
    {
        var builder = CreateBuilder(null);
        builder.UseOrleansClient(client => client.UseEmbeddedCluster(Options("client")));
        return await StartAsync(builder);
    }

    /// <summary>The table that the silos share, to look at or to meddle with.</summary>
    internal async Task<MembershipTable> OpenTableAsync()
    {
        var database = ClusterDatabase.Of(Database);
        await database.PrepareAsync();
        return new MembershipTable(database, ClusterId, TimeProvider.System);
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

    public EmbeddedClusterOptions Options(string name) => new()
    {
        ClusterId = ClusterId,
        Database = Database,
        ClusterKey = Key,
        SiloName = name,
        ResponseTimeout = ResponseTimeout,
        ProbePeriod = TimeSpan.FromMilliseconds(100),
        ProbeTimeout = TimeSpan.FromMilliseconds(500),
        MissedProbes = 3,
        RefreshPeriod = TimeSpan.FromMilliseconds(200),
    };

    private HostApplicationBuilder CreateBuilder(TimeProvider? time)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(Events);
        builder.Logging.AddProvider(Log);
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

/// <summary>Shorter ways into a host.</summary>
internal static class TestHosts
{
    public static IGrainFactory Grains(this IHost host) => host.Services.GetRequiredService<IGrainFactory>();

    public static IEchoGrain Echo(this IHost host, string key) => host.Grains().GetGrain<IEchoGrain>(key);

    public static SiloAddress Address(this IHost silo) => silo.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>The silo dies without a word, as a process does that is killed.</summary>
    public static Task KillAsync(this IHost silo) => silo.Services.GetRequiredService<LocalSilo>().FallSilentAsync(new CancellationToken(canceled: true));

    /// <summary>A key whose owner is <paramref name="silo"/>, given that all of <paramref name="silos"/> are active.</summary>
    public static string KeyOwnedBy(this IHost silo, params IHost[] silos)
    {
        var view = new ClusterSnapshot(1, [.. silos.Select(static s => new Member(s.Address(), "", SiloStatus.Active))]);
        return Enumerable.Range(0, 10_000).Select(static i => $"key{i}").First(k => silo.Address().Equals(view.OwnerOf(new(k))));
    }
}
