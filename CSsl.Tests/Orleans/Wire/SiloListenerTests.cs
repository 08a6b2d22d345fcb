using System.Net;
using CSsl.EmbeddedCluster.Serialization;
using CSsl.EmbeddedCluster.Wire;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Wire;

/// <summary>What a silo's port does with messages that no engine would send.</summary>
public sealed class SiloListenerTests : IAsyncLifetime, IDisposable
{
    private static readonly byte[] Body = ContractSerializer.Serialize(Empty.Instance, typeof(Empty));

    private readonly TestCluster _cluster = new();
    private readonly HttpClient _http = new();
    private SiloAddress _silo = null!;
    private ClusterAuthenticator _authenticator = null!;

    public async Task InitializeAsync()
    {
        _silo = (await _cluster.StartSiloAsync()).Address();
        _authenticator = new ClusterAuthenticator(_cluster.Key, _cluster.ClusterId);
    }

    [Fact]
    public async Task Message_is_answered_with_a_mac_of_its_own()
    {
        var header = HeaderFor(Operations.Probe);
        var mac = _authenticator.SignRequest(header, Body);

        using var response = await SendAsync(header, mac, Body);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var expected = _authenticator.SignResponse(200, mac, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(expected, response.Headers.GetValues(WireHeaders.Mac).Single());
    }

    [Fact]
    public async Task Message_is_refused_when_it_is_sent_twice()
    {
        var header = HeaderFor(Operations.Probe);
        using var first = await SendAsync(header, _authenticator.SignRequest(header, Body), Body);

        using var second = await SendAsync(header, _authenticator.SignRequest(header, Body), Body);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (first.StatusCode, second.StatusCode));
    }

    [Fact]
    public async Task Message_is_refused_when_its_time_is_off()
    {
        var header = HeaderFor(Operations.Probe) with { Time = DateTimeOffset.UtcNow.AddSeconds(-30).ToUnixTimeMilliseconds() };

        using var response = await SendAsync(header, _authenticator.SignRequest(header, Body), Body);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Message_is_refused_and_logged_when_the_key_is_wrong()
    {
        using var stranger = new ClusterAuthenticator(new byte[32], _cluster.ClusterId);
        var header = HeaderFor(Operations.Probe);

        using var response = await SendAsync(header, stranger.SignRequest(header, Body), Body);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains(_cluster.Log.All, static l => l.Contains("does not have the cluster key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Message_is_refused_when_it_was_changed_on_the_way()
    {
        var header = HeaderFor(Operations.Probe);
        var mac = _authenticator.SignRequest(header, Body);

        using var body = await SendAsync(header, mac, [.. Body, (byte)' ']);
        using var path = await SendAsync(header with { Path = Operations.Refresh }, mac, Body);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (body.StatusCode, path.StatusCode));
    }

    [Fact]
    public async Task Message_for_another_run_of_the_silo_is_gone()
    {
        var header = HeaderFor(Operations.Probe) with { To = SiloAddress.New(_silo.Endpoint, _silo.Generation - 1).ToParsableString() };

        using var response = await SendAsync(header, _authenticator.SignRequest(header, Body), Body);

        Assert.Equal(HttpStatusCode.Gone, response.StatusCode);
    }

    [Fact]
    public async Task Message_without_headers_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{_silo.Endpoint}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var response = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Message_is_refused_when_it_is_too_large()
    {
        var header = HeaderFor(Operations.Probe);
        var body = new byte[_cluster.Options("x").MaxMessageBytes + 1];

        using var response = await SendAsync(header, _authenticator.SignRequest(header, body), body);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"0\":1}")]
    public async Task Authentic_nonsense_is_answered_with_400(string text)
    {
        var header = HeaderFor(Operations.Call);
        var body = System.Text.Encoding.UTF8.GetBytes(text);

        using var response = await SendAsync(header, _authenticator.SignRequest(header, body), body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _authenticator.Dispose();
    }

    private MessageHeader HeaderFor(string path) => new(path, _silo.ToParsableString(), 0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), Guid.NewGuid());

    private async Task<HttpResponseMessage> SendAsync(MessageHeader header, string mac, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{_silo.Endpoint}{header.Path}")
        {
            Content = new ByteArrayContent(body),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        WireHeaders.Write(request.Headers, header, mac);
        return await _http.SendAsync(request);
    }
}
