using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Forwarding;

/// <summary>An upgraded connection is two streams of bytes: each one's end gets to the other side at once, and nothing but an end ends it.</summary>
[Collection(ByBytes.Name)]
public sealed class UpgradedConnectionTests(RawOriginSite site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    [Theory]
    [InlineData("close_notify")]
    [InlineData("FIN")]
    [InlineData("close_notify and FIN")]
    public async Task Clients_end_reaches_the_origin_which_may_still_answer(string how)
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/client-end");
        using (client)
        using (origin)
        {
            await client.SendAsync("last");
            await EndAsync(client, how);

            Assert.Equal((PeerEnd.InOrder, "last"), await origin.ReadToEndAsync());
            await origin.SendAsync("rest");
            origin.FinishSending();
            Assert.Equal((PeerEnd.InOrder, "rest"), await client.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task Clients_reset_is_one_at_the_origin()
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/client-reset");
        using (client)
        using (origin)
        {
            client.Reset();
            Assert.Equal(PeerEnd.Reset, (await origin.ReadToEndAsync()).End);
        }
    }

    [Fact]
    public async Task Origins_end_reaches_the_client_in_order()
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/origin-end");
        using (client)
        using (origin)
        {
            await origin.SendAsync("last");
            origin.FinishSending();
            Assert.Equal((PeerEnd.InOrder, "last"), await client.ReadToEndAsync());
            Assert.Equal(PeerEnd.InOrder, (await origin.ReadToEndAsync()).End);
        }
    }

    [Fact]
    public async Task Origins_reset_is_one_for_the_client()
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/origin-reset");
        using (client)
        using (origin)
        {
            origin.Reset();
            Assert.Equal(PeerEnd.Reset, (await client.ReadToEndAsync()).End);
        }
    }

    [Fact]
    public async Task Stream_of_HTTP2_that_ends_reaches_the_origin()
    {
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var invoker = new HttpMessageInvoker(Web.Handler(Cluster));
        Task connecting = socket.ConnectAsync(new Uri($"wss://localhost:{Cluster.Port}/h2-client-end"), invoker, CancellationToken.None);
        using RawPeer origin = await site.Origin.RequestAsync("/h2-client-end");
        await AcceptAsync(origin);
        await connecting.WaitAsync(Tool.DefaultDeadline);

        socket.Abort();

        await origin.ReadToEndAsync();
    }

    [Fact]
    public async Task Origins_end_ends_the_stream_of_HTTP2()
    {
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var invoker = new HttpMessageInvoker(Web.Handler(Cluster));
        Task connecting = socket.ConnectAsync(new Uri($"wss://localhost:{Cluster.Port}/h2-origin-end"), invoker, CancellationToken.None);
        using RawPeer origin = await site.Origin.RequestAsync("/h2-origin-end");
        await AcceptAsync(origin);
        await connecting.WaitAsync(Tool.DefaultDeadline);

        origin.FinishSending();

        var error = await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None).AsTask().WaitAsync(Tool.DefaultDeadline));
        Assert.Equal(WebSocketError.ConnectionClosedPrematurely, error.WebSocketErrorCode);
    }

    [Fact]
    public async Task Clients_that_left_hold_nothing()
    {
        const int Clients = 300;
        string[] ways = ["close_notify", "FIN", "close_notify and FIN", "RST", "close"];

        await Parallel.ForEachAsync(Enumerable.Range(0, Clients), new ParallelOptions { MaxDegreeOfParallelism = 20 }, async (i, _) =>
        {
            (RawPeer client, RawPeer origin) = await UpgradeAsync("/leave");
            using (origin)
            {
                using (client)
                {
                    if (ways[i % ways.Length] == "RST")
                        client.Reset();
                    else if (ways[i % ways.Length] != "close")
                        await EndAsync(client, ways[i % ways.Length]);
                }

                await origin.ReadToEndAsync(); // and so does the origin
            }
        });

        await Eventually.TrueAsync(async () => await Cluster.CounterAsync("cssl_gateway_connections") == 0, "the gateway has no connection");
        await Eventually.TrueAsync(() => Sockets(site.Origin.Port) == 0, "the silo has no connection to the origin");
    }

    [Fact]
    public async Task Idle_connection_outlives_the_time_that_an_ordinary_request_has()
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/idle");
        using RawPeer waiting = await site.ConnectAsync();
        using (client)
        using (origin)
        {
            await waiting.SendAsync(SClient.Get("/silent"));
            using RawPeer silent = await site.Origin.RequestAsync("/silent");

            // YARP's default of 100 s: what makes the test as long as that.
            byte[] answer = new byte[4096];
            int read = await waiting.Stream.ReadAsync(answer).AsTask().WaitAsync(TimeSpan.FromMinutes(3));
            Assert.StartsWith("HTTP/1.1 504 ", Encoding.Latin1.GetString(answer, 0, read), StringComparison.Ordinal);

            await client.SendAsync("ping;");
            Assert.Equal("ping;", await origin.ReadThroughAsync(";"));
            await origin.SendAsync("pong;");
            Assert.Equal("pong;", await client.ReadThroughAsync(";"));
        }
    }

    [Fact]
    public async Task Time_that_the_operator_sets_holds_for_an_upgraded_connection()
    {
        (RawPeer client, RawPeer origin) = await UpgradeAsync("/limited/idle");
        using (client)
        using (origin)
        {
            await origin.ReadToEndAsync();
            await client.ReadToEndAsync();
        }
    }

    private async Task<(RawPeer Client, RawPeer Origin)> UpgradeAsync(string path)
    {
        RawPeer client = await site.ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        RawPeer origin = await site.Origin.RequestAsync(path);
        await AcceptAsync(origin);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return (client, origin);
    }

    private static Task AcceptAsync(RawPeer origin)
    {
        string key = origin.Head.Split("\r\n").First(static line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.OrdinalIgnoreCase))["Sec-WebSocket-Key: ".Length..];
        return origin.SendAsync($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {AcceptOf(key)}\r\n\r\n");
    }

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 6455 section 4.2.2 names it.")]
    private static string AcceptOf(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));

    private static async Task EndAsync(RawPeer client, string how)
    {
        if (how.StartsWith("close_notify", StringComparison.Ordinal))
            await ((SslStream)client.Stream).ShutdownAsync();
        if (how.EndsWith("FIN", StringComparison.Ordinal))
            client.FinishSending();
    }

    /// <summary>Sockets of any state but LISTEN and TIME_WAIT with this port at one of their ends.</summary>
    private static int Sockets(int port)
    {
        string suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return File.ReadLines("/proc/net/tcp").Skip(1).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(fields => (fields[1].EndsWith(suffix, StringComparison.Ordinal) || fields[2].EndsWith(suffix, StringComparison.Ordinal)) && fields[3] is not ("0A" or "06"));
    }
}
