using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
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
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/client-end");
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
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/client-reset");
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
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/origin-end");
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
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/origin-reset");
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
        await RawOriginSite.AcceptAsync(origin);
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
        await RawOriginSite.AcceptAsync(origin);
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
            (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/leave");
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
    public async Task Time_that_the_operator_sets_holds_for_an_upgraded_connection()
    {
        (RawPeer client, RawPeer origin) = await site.UpgradeAsync("/limited/idle");
        using (client)
        using (origin)
        {
            await origin.ReadToEndAsync();
            await client.ReadToEndAsync();
        }
    }

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
