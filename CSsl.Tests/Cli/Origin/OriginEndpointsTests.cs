using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace CSsl.Tests.Cli.Origin;

public sealed class OriginEndpointsTests(OriginFixture origin) : IClassFixture<OriginFixture>
{
    [Fact]
    public async Task Page_says_who_served_it_and_lets_nobody_write_html()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "X-CSsl-Silo", "data-7" }, { "X-CSsl-Tls", "<TLS 1.3>" } } };
        using var response = await origin.Http.SendAsync(request);
        var page = await response.Content.ReadAsStringAsync();
        Assert.Contains("<dd id=\"silo\">data-7</dd>", page, StringComparison.Ordinal);
        Assert.Contains("<dd id=\"tls\">&lt;TLS 1.3&gt;</dd>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/echo", 0)]
    [InlineData("/echo", 3_000_000)]
    [InlineData("/echo?stream=true", 3_000_000)]
    public async Task Echo_sends_back_what_it_gets(string path, int length)
    {
        var body = RandomNumberGenerator.GetBytes(length);
        using var response = await origin.Http.PostAsync(path, new ByteArrayContent(body) { Headers = { { "Content-Type", "x/y" } } });
        Assert.Equal("x/y", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(body, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Echo_answers_while_the_request_goes_on_when_asked_to_stream()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, origin.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync("POST /echo?stream=true HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"u8.ToArray());
        await ReadUntilAsync(stream, "abc");
        await stream.WriteAsync("3\r\ndef\r\n0\r\n\r\n"u8.ToArray());
        await ReadUntilAsync(stream, "def\r\n0\r\n\r\n");
    }

    [Fact]
    public async Task Sink_tells_length_and_hash()
    {
        var body = RandomNumberGenerator.GetBytes(1_000_000);
        using var response = await origin.Http.PostAsync("/sink", new ByteArrayContent(body));
        Assert.Equal($"1000000 {Convert.ToHexStringLower(SHA256.HashData(body))}\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Headers_shows_the_request_as_it_came()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/headers?a=%20b") { Headers = { { "X-Two", ["1", "2"] } } };
        using var response = await origin.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.StartsWith("GET /headers?a=%20b HTTP/1.1\n", text, StringComparison.Ordinal);
        Assert.Contains("X-Two: 1, 2\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_come_one_by_one()
    {
        var text = await origin.Http.GetStringAsync("/sse?count=3&ms=0");
        Assert.Equal("id: 1\ndata: event 1 of 3\n\nid: 2\ndata: event 2 of 3\n\nid: 3\ndata: event 3 of 3\n\n", text);
    }

    [Fact]
    public async Task Slow_answers_after_its_time() => Assert.Equal("waited 1 ms\n", await origin.Http.GetStringAsync("/slow?ms=1"));

    [Fact]
    public async Task WebSocket_sends_every_message_back()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(origin.Address) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None);
        var message = RandomNumberGenerator.GetBytes(40_000);
        await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        var echo = new byte[message.Length];
        var received = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(echo.AsMemory(received), CancellationToken.None);
            received += part.Count;
        }
        while (!part.EndOfMessage);
        Assert.Equal(message, echo);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        Assert.Equal("bye", socket.CloseStatusDescription);
    }

    [Fact]
    public async Task WebSocket_endpoint_asks_for_an_upgrade()
    {
        using var response = await origin.Http.GetAsync(new Uri("/ws", UriKind.Relative));
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData("/die?after=0")]
    [InlineData("/die?after=100000")]
    [InlineData("/die?after=100000&chunked=true")]
    public async Task Die_never_completes_its_body(string path)
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => origin.Http.GetByteArrayAsync(new Uri(path, UriKind.Relative)));
    }

    [Fact]
    public async Task Http2_without_tls_is_served_on_its_own_port()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{origin.H2cPort}/bytes/5") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await origin.Http.SendAsync(request);
        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal(5, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    private static async Task ReadUntilAsync(Stream stream, string end)
    {
        var text = "";
        var buffer = new byte[4096];
        while (!text.EndsWith(end, StringComparison.Ordinal) && !text.EndsWith(end + "\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer);
            Assert.True(read > 0, $"ended after {text}");
            text += Encoding.ASCII.GetString(buffer, 0, read);
        }
    }
}
