using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What s_client saw.</summary>
/// <param name="EndedInOrder">close_notify came; otherwise a reset, or a FIN without it.</param>
/// <param name="IsResumed">The next connection took up its session with a ticket.</param>
/// <param name="Output">What it wrote.</param>
internal sealed record SClientEnding(bool EndedInOrder, bool IsResumed, string Output)
{
    /// <summary>The server ended it, with a word that only the server can say.</summary>
    public void AssertEndedInOrder() => Assert.True(EndedInOrder, $"no close_notify: {Output}");

    /// <summary>So it is, and what the client does next needs no new certificate check and no key exchange by RSA or ECDSA.</summary>
    public void AssertEndedInOrderAndResumed()
    {
        AssertEndedInOrder();
        Assert.True(IsResumed, "the session was not resumed");
    }
}

/// <summary>`openssl s_client` with a connection that is open and at rest: the one client that says how its connection ends.</summary>
internal sealed class SClientExchange : Exchange<SClientEnding>
{
    private readonly TempDirectory _folder = new();
    private readonly bool _goesOn;
    private readonly string _page;
    private readonly string[] _options;
    private readonly string _opening;
    private readonly string _again;
    private readonly string _answer;
    private Tool? _client;

    private SClientExchange(SurvivalSite site, Scene scene, bool goesOn, Func<string, (string Opening, string Again)> speech, string answer, params string[] options)
        : base(site, scene)
    {
        _page = site.Add(Scene.Page());
        ((_opening, _again), _goesOn, _answer, _options) = (speech(Path), goesOn, answer, options);
    }

    private string Session => _folder.File("session");

    /// <summary>HTTP/1.1, keep-alive.</summary>
    /// <param name="site">The cluster.</param>
    /// <param name="goesOn">The client says something more after the fault; otherwise it waits for the server to end it, and comes back.</param>
    public static SClientExchange Http1(SurvivalSite site, bool goesOn)
        => new(site, Scene.Page(), goesOn, static path => (RawHttp.Get(path), RawHttp.Get(path)), RawHttp.PageMark);

    /// <summary>HTTP/2.</summary>
    /// <inheritdoc cref="Http1"/>
    public static SClientExchange Http2(SurvivalSite site, bool goesOn)
        => new(site, Scene.Page(), goesOn, static path => (RawHttp.Http2Preface + RawHttp.Http2Get(path, 1), RawHttp.Http2Get(path, 3)), RawHttp.PageMark, "-alpn", "h2");

    /// <summary>A WebSocket.</summary>
    /// <inheritdoc cref="Http1"/>
    public static SClientExchange WebSocket(SurvivalSite site, bool goesOn)
        => new(site, Scene.WebSocket(), goesOn, static path => (RawHttp.Upgrade(path) + RawHttp.MaskedPing, RawHttp.MaskedPing), RawHttp.Ping);

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        _client = Tool.Start("openssl", SClient.Arguments(Site.Cluster, null, ["-ign_eof", "-sess_out", Session, .. _options]), mergeError: true);
        await _client.TypeAsync(_opening);
        await _client.Output.WaitForAsync(_answer, Tool.DefaultDeadline);
    }

    private async Task GoOnAsync()
    {
        int mark = _client!.Output.Length;
        await _client.TypeAsync(_again);
        await _client.Output.WaitForAsync(_answer, Tool.DefaultDeadline, mark);
    }

    protected override async Task<SClientEnding> EndAsync()
    {
        if (_goesOn)
        {
            await GoOnAsync();
            return new SClientEnding(EndedInOrder: false, IsResumed: false, _client!.Output.Text());
        }

        await _client!.ExitAsync();
        string output = _client.Output.Text();
        await Site.ServesAsync();
        ToolResult next = (await SClient.GetAsync(Site.Cluster, _page, "-sess_in", Session)).Succeeded();
        return new SClientEnding(output.TrimEnd().EndsWith("closed", StringComparison.Ordinal), next.Output.Contains("Reused, TLSv1.3", StringComparison.Ordinal), output);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        _folder.Dispose();
    }
}
