using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>
/// One fault, and one client of each kind that is in the middle of something when it comes; all are served by <see cref="SurvivalSite.Victim"/>. The tests of a
/// class look at what each of them saw.
/// </summary>
public abstract class FaultRun(SurvivalSite site) : IAsyncLifetime
{
    /// <summary>Length of a body; half of it is under way when the fault comes.</summary>
    internal const int Length = 1 << 20;

    /// <summary>Length of the body that flows as the fault comes: curl takes it at 4 MB/s.</summary>
    internal const int FlowingLength = 6 << 20;

    // More than Limits:ReplayBuffer.
    private const int LongBody = 1 << 20;

    private readonly List<Exchange> _exchanges = [];
    private int _logMark;

    protected SurvivalSite Site { get; } = site;

    /// <summary>What the cluster logged from the fault on.</summary>
    public string Log => Site.Cluster.Log.Text(_logMark);

    internal KeepAliveExchange Idle { get; private set; } = null!;

    internal KeepAliveExchange Sent { get; private set; } = null!;

    internal KeepAliveExchange Post { get; private set; } = null!;

    internal KeepAliveExchange LongPut { get; private set; } = null!;

    internal CurlExchange Download { get; private set; } = null!;

    internal CurlExchange Tls12Download { get; private set; } = null!;

    internal CurlExchange UntaggedDownload { get; private set; } = null!;

    internal CurlExchange ChunkedDownload { get; private set; } = null!;

    internal CurlExchange PostUnderWay { get; private set; } = null!;

    internal CurlExchange Http2Download { get; private set; } = null!;

    internal CurlExchange Events { get; private set; } = null!;

    internal SClientExchange IdleTls { get; private set; } = null!;

    internal SClientExchange Http2 { get; private set; } = null!;

    internal SClientExchange WebSocket { get; private set; } = null!;

    private protected IEnumerable<Scene> Scenes => _exchanges.Select(static exchange => exchange.Scene);

    /// <summary>True where the fault ends no connection of HTTP/1.1 that is at rest.</summary>
    protected virtual bool KeepsHttp1 => true;

    /// <summary>True where it ends no connection of HTTP/2 that is at rest.</summary>
    protected virtual bool KeepsHttp2 => false;

    /// <summary>True where it ends no WebSocket.</summary>
    protected virtual bool KeepsUpgraded => false;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await Site.WholeAsync();
        await Site.OrderAsync(SurvivalSite.Other, drain: true);
        await StartAllAsync();
        await Site.OrderAsync(SurvivalSite.Other, drain: false);

        _logMark = Site.Cluster.Log.Length;
        await BreakAsync();
        ReleaseAll();
        await Task.WhenAll(_exchanges.Select(static exchange => exchange.EndedAsync())).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // each is for its own test to judge
        await RepairAsync();
        await Site.WholeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Exchange exchange in _exchanges)
            await exchange.DisposeAsync();
    }

    /// <summary>The fault. Completes when it has had its effect, so that the origin may go on.</summary>
    protected abstract Task BreakAsync();

    /// <summary>Waits for, or brings about, a cluster that is whole again.</summary>
    protected abstract Task RepairAsync();

    /// <summary>Completes when another silo has begun with what the victim left: it asks the origin again.</summary>
    protected async Task TakenOverAsync()
    {
        Task again = Sent.Scene.Second;
        await again.WaitAsync(Tool.DefaultDeadline / 2).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // if it doesn't, a test says so
    }

    private async Task StartAllAsync()
    {
        Idle = KeepAlive(null);
        Sent = KeepAlive(HttpMethod.Get);
        Post = KeepAlive(HttpMethod.Post, 100);
        LongPut = KeepAlive(HttpMethod.Put, LongBody);
        Download = Curl(Scene.Body(BodyKind.Tagged, FlowingLength), 64 * 1024, "--http1.1", "--limit-rate", "4M");
        Tls12Download = Curl(Scene.Body(BodyKind.Tagged, Length), Length / 2, "--http1.1", "--tls-max", "1.2");
        UntaggedDownload = Curl(Scene.Body(BodyKind.Untagged, Length), Length / 2, "--http1.1");
        ChunkedDownload = Curl(Scene.Body(BodyKind.Chunked, Length), Length / 2, "--http1.1");
        PostUnderWay = Curl(Scene.Body(BodyKind.Tagged, Length), Length / 2, "--http1.1", "--data", "order");
        Http2Download = Curl(Scene.Body(BodyKind.Tagged, Length), Length / 2, "--http2");
        Events = Curl(Scene.Events(), 1, "--http1.1");
        IdleTls = Add(SClientExchange.Http1(Site, KeepsHttp1));
        Http2 = Add(SClientExchange.Http2(Site, KeepsHttp2));
        WebSocket = Add(SClientExchange.WebSocket(Site, KeepsUpgraded));

        await Task.WhenAll(_exchanges.Select(static exchange => exchange.StartAsync()));
        foreach (Exchange exchange in _exchanges)
            Assert.Equal(SurvivalSite.Victim, await exchange.FirstSiloAsync());
    }

    /// <summary>Which scenes go on after the fault.</summary>
    protected virtual void ReleaseAll()
    {
        foreach (Scene scene in Scenes)
            scene.Release();
    }

    private T Add<T>(T exchange)
        where T : Exchange
    {
        _exchanges.Add(exchange);
        return exchange;
    }

    private KeepAliveExchange KeepAlive(HttpMethod? method, int bodyBytes = 0) => Add(new KeepAliveExchange(Site, method, bodyBytes, KeepsHttp1));

    private CurlExchange Curl(Scene scene, long least, params string[] arguments) => Add(new CurlExchange(Site, scene, least, arguments));
}
