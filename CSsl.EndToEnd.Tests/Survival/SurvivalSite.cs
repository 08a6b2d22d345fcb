using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>The cluster that the survival matrix is tested with: one after another, each test breaks it and leaves it whole.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SurvivalCluster : ICollectionFixture<SurvivalSite>
{
    public const string Name = "survival";
}

/// <summary>A gateway, two handshake silos and two data silos as processes, in front of an origin in the test process that goes on when it is told to.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime.DisposeAsync disposes.")]
public sealed class SurvivalSite : IAsyncLifetime
{
    /// <summary>The silo that the faults are done to, and the one that serves after them.</summary>
    public const string Victim = "data-1", Other = "data-2";

    private static readonly TimeSpan RepairTime = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, Scene> _scenes = new();
    private readonly HttpClient _http = new();
    private TestOrigin? _origin;
    private Cluster? _cluster;
    private OperatorClient? _operator;
    private StatusClient? _status;

    public Cluster Cluster => _cluster ?? throw new InvalidOperationException("not started");

    private OperatorClient Operator => _operator ?? throw new InvalidOperationException("not started");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _origin = await TestOrigin.StartAsync();
        _origin.Handler = context => _scenes[context.Request.Path.Value!].ServeAsync(context);
        Add(Scene.Page(), "/"); // cssl up asks for it to see whether it is ready
        _cluster = await Cluster.StartAsync(new ClusterSettings
        {
            HandshakeSilos = 2,
            Arguments =
            [
                "--origin", _origin.Address,
                "--Silo:DrainTime=1s",
                "--Silo:HibernateAfter=0s", // what is idle is awake: the harder case
                "--Limits:TakeoverTime=30s", // on a loaded machine, too
            ],
        });
        _operator = new OperatorClient($"127.0.0.1:{_cluster.AdminPort}");
        _status = new StatusClient($"127.0.0.1:{_cluster.AdminPort}");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _operator?.Dispose();
        _status?.Dispose();
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        if (_origin is not null)
            await _origin.DisposeAsync();
    }

    /// <summary>A URL of the cluster, by name.</summary>
    internal string Url(string path) => $"https://localhost:{Cluster.Port}{path}";

    /// <summary>Puts a scene on; returns its path.</summary>
    internal string Add(Scene scene, string? path = null)
    {
        path ??= $"/{_scenes.Count}";
        Assert.True(_scenes.TryAdd(path, scene));
        return path;
    }

    /// <summary>A process of the cluster, as the gateway sees it.</summary>
    internal async Task<ProcessStatus> ProcessAsync(string name) => (await ProcessesAsync()).Single(process => process.Name == name);

    /// <summary>All of them.</summary>
    internal async Task<IReadOnlyList<ProcessStatus>> ProcessesAsync() => (await _status!.GetAsync(CancellationToken.None)).Processes;

    /// <summary>Sends a process a signal.</summary>
    internal async Task SignalAsync(string name, int signal) => ProcFs.Signal((await ProcessAsync(name)).Pid, signal);

    /// <summary>Waits until a new client is served: at once, unless the gateway is the one that was ended.</summary>
    internal Task ServesAsync() => Eventually.TrueAsync(IsServingAsync, "the gateway serves", RepairTime);

    /// <summary>Waits until every process is there and serves.</summary>
    internal Task WholeAsync() => Eventually.TrueAsync(async () => await TryStatusAsync() is { Count: 5 } all && all.All(Serves), "the cluster is whole", RepairTime);

    /// <summary>Waits until a process that was ended has been started again, and the cluster is whole.</summary>
    internal async Task WholeAgainAsync(string name, int oldPid)
    {
        await Eventually.TrueAsync(async () => await TryStatusAsync() is { } all && all.Any(process => process.Name == name && process.Pid != oldPid && Serves(process)), $"{name} was started again", RepairTime);
        await WholeAsync();
    }

    /// <summary>Drains a silo or lets it serve again, and waits until the gateway knows.</summary>
    internal async Task OrderAsync(string silo, bool drain)
    {
        // The grain that takes orders may have been on a silo that was lost just now.
        await Eventually.TrueAsync(async () => await TryOrderAsync(silo, drain), $"an order for {silo} is taken", RepairTime);
        await Eventually.TrueAsync(async () => (await ProcessAsync(silo)).State == nameof(SiloState.Active) != drain, $"{silo} obeys", RepairTime);
    }

    private async Task<bool> IsServingAsync()
    {
        try
        {
            using HttpResponseMessage health = await _http.GetAsync(new Uri($"http://127.0.0.1:{Cluster.AdminPort}/healthz"));
            return health.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // nobody listens there at the moment
        }
    }

    private async Task<bool> TryOrderAsync(string silo, bool drain)
    {
        try
        {
            await Operator.OrderAsync(new OrderRequest { Silo = silo, Drain = drain }, CancellationToken.None);
            return true;
        }
        catch (OrderException)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<ProcessStatus>?> TryStatusAsync()
    {
        try
        {
            return await ProcessesAsync();
        }
        catch (StatusException)
        {
            return null; // the gateway is the one that was ended
        }
    }

    private static bool Serves(ProcessStatus process) => process.State == nameof(SiloState.Active) && ProcFs.IsAlive(process.Pid);
}
