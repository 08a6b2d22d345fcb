using System.Net;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What a keep-alive client saw.</summary>
/// <param name="Status">Of the answer to the request that was under way.</param>
/// <param name="Text">Its body.</param>
/// <param name="Next">The body of the request after that.</param>
/// <param name="Connections">That it made.</param>
internal sealed record KeepAliveEnding(HttpStatusCode Status, string Text, string Next, int Connections);

/// <summary>HttpClient with a request that the origin has and does not answer yet; before it one that was answered, so that the connection is no new one.</summary>
internal sealed class KeepAliveExchange : Exchange<KeepAliveEnding>
{
    private readonly KeepAliveClient _client;
    private readonly HttpMethod? _method;
    private readonly int _bodyBytes;
    private readonly bool _goesOn;
    private readonly string _page;
    private Task<HttpResponseMessage>? _answer;

    /// <param name="site">The cluster.</param>
    /// <param name="method">Of the request under way; null: none is.</param>
    /// <param name="bodyBytes">Length of its body.</param>
    /// <param name="goesOn">There is another request after it.</param>
    public KeepAliveExchange(SurvivalSite site, HttpMethod? method, int bodyBytes, bool goesOn)
        : base(site, method is null ? Scene.Page() : Scene.Held())
    {
        (_method, _bodyBytes, _goesOn) = (method, bodyBytes, goesOn);
        _page = method is null ? Path : site.Add(Scene.Page());
        _client = new KeepAliveClient(site.Cluster);
    }

    /// <inheritdoc/>
    public override async Task StartAsync()
    {
        await _client.Http.GetStringAsync(_page);
        if (_method is null)
            return;
        var request = new HttpRequestMessage(_method, Path);
        if (_bodyBytes > 0)
            request.Content = new ByteArrayContent(new byte[_bodyBytes]);
        _answer = _client.Http.SendAsync(request);
        await InTime(Scene.IsHeld);
    }

    protected override async Task<KeepAliveEnding> EndAsync()
    {
        (HttpStatusCode status, string text) = (HttpStatusCode.OK, "");
        if (_answer is not null)
        {
            using HttpResponseMessage answer = await _answer;
            (status, text) = (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        string next = _goesOn ? await _client.Http.GetStringAsync(_page) : "";
        return new KeepAliveEnding(status, text, next, _client.Connections);
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
