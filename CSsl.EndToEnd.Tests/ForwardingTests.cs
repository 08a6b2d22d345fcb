using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>What a reverse proxy owes to both sides: headers, trailers, streams, upgrades, back-pressure.</summary>
[Collection(OwnOrigin.Name)]
public sealed class ForwardingTests(ClusterWithTestOrigin site, ITestOutputHelper output) : ClusterTest(site.Cluster, output)
{
    [Fact]
    public async Task Forwarded_headers_tell_the_origin_who_asked_and_how()
    {
        HeaderDictionary? seen = null;
        site.Origin.Handler = context =>
        {
            seen = new HeaderDictionary(context.Request.Headers.ToDictionary());
            return context.Response.WriteAsync("ok");
        };

        (await Tool.RunAsync("curl",
            ["-sS", "--interface", "127.0.0.77", "-H", "X-Forwarded-For: 6.6.6.6", "--cacert", Cluster.CertificateAuthority, Url("/who")])).Succeeded();

        Assert.Equal("127.0.0.77", seen!["X-Forwarded-For"].ToString());
        Assert.Equal("https", seen["X-Forwarded-Proto"].ToString());
        Assert.Equal($"localhost:{Cluster.Port}", seen["X-Forwarded-Host"].ToString());
    }

    [Fact]
    public async Task Calls_like_those_of_gRPC_stream_both_ways_and_end_with_trailers()
    {
        site.Origin.Handler = async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
            byte[] buffer = new byte[100];
            for (int read; (read = await context.Request.Body.ReadAsync(buffer)) > 0;)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("grpc-status", "0");
        };
        using HttpClient client = Web.Client(Cluster, HttpVersion.Version20);
        var requests = new PushContent();
        requests.Headers.ContentType = new MediaTypeHeaderValue("application/grpc"); // by it YARP knows not to buffer
        using var call = new HttpRequestMessage(HttpMethod.Post, "/grpc/echo") { Version = HttpVersion.Version20, Content = requests };

        requests.Push("ping"u8.ToArray());
        using HttpResponseMessage response = await client.SendAsync(call, HttpCompletionOption.ResponseHeadersRead);
        await using Stream answers = await response.Content.ReadAsStreamAsync();
        byte[] answer = new byte[4];
        await answers.ReadExactlyAsync(answer);
        Assert.Equal("ping"u8.ToArray(), answer);

        requests.Push("pong"u8.ToArray());
        await answers.ReadExactlyAsync(answer);
        Assert.Equal("pong"u8.ToArray(), answer);

        requests.Complete();
        Assert.Equal(0, await answers.ReadAsync(answer));
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task Events_pass_one_by_one_while_the_response_goes_on(string http)
    {
        var firstSeen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        site.Origin.Handler = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: first\n\n");
            await context.Response.Body.FlushAsync();
            await firstSeen.Task; // the second event exists only once the client has the first
            await context.Response.WriteAsync("data: second\n\n");
        };
        await using Tool curl = Tool.Start("curl", ["-sSN", http, "--cacert", Cluster.CertificateAuthority, Url("/sse")]);

        await curl.Output.WaitForAsync("data: first");
        firstSeen.SetResult();

        Assert.Equal("data: first\n\ndata: second\n\n", (await curl.ExitAsync()).Succeeded().Output);
    }

    [Theory]
    [InlineData("--http1.1")]
    [InlineData("--http2")]
    public async Task Request_body_reaches_the_origin_while_it_is_sent(string http)
    {
        string first = new('x', 200_000);
        var firstRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        site.Origin.Handler = async context =>
        {
            byte[] buffer = new byte[first.Length / 2];
            await context.Request.Body.ReadExactlyAsync(buffer);
            firstRead.SetResult();
            await context.Request.Body.CopyToAsync(context.Response.Body);
        };
        await using Tool curl = Tool.Start("curl", ["-sSN", http, "--cacert", Cluster.CertificateAuthority, "-T", ".", Url("/upload")]);

        await curl.TypeAsync(first);
        await firstRead.Task.WaitAsync(Tool.DefaultDeadline);
        await curl.TypeAsync("second");
        curl.CloseInput();

        Assert.Equal(first[(first.Length / 2)..] + "second", (await curl.ExitAsync()).Succeeded().Output);
    }

    [Fact]
    public async Task WebSocket_echoes_messages_of_all_sizes()
    {
        site.Origin.Handler = EchoWebSocketAsync;
        using var socket = new ClientWebSocket();
        using var invoker = new HttpMessageInvoker(Web.Handler(Cluster));
        await socket.ConnectAsync(new Uri($"wss://localhost:{Cluster.Port}/ws"), invoker, CancellationToken.None);

        foreach (int size in (int[])[0, 1, 125, 126, 16_383, 16_384, 65_536, 1_000_000])
        {
            byte[] message = RandomNumberGenerator.GetBytes(size);
            Task sending = socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            Assert.Equal(message, await ReceiveAsync(socket));
            await sending;
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        Assert.Equal(WebSocketState.Closed, socket.State);
    }

    [Fact]
    public async Task Slow_client_stops_the_origin_and_nobody_else()
    {
        const long Length = 400L << 20;
        const long MostInFlight = 64L << 20; // the buffers of the sockets on the way, and the data link's credit
        byte[] block = new byte[64 * 1024];
        long written = 0;
        site.Origin.Handler = async context =>
        {
            bool slow = context.Request.Path == "/slow";
            context.Response.ContentLength = slow ? Length : 20L << 20;
            for (long left = context.Response.ContentLength.Value; left > 0; left -= block.Length)
            {
                await context.Response.Body.WriteAsync(block);
                if (slow)
                    Interlocked.Add(ref written, block.Length);
            }
        };
        using var slowClient = new TcpClient();
        await slowClient.ConnectAsync("127.0.0.1", Cluster.Port);
        await using var tls = new SslStream(slowClient.GetStream());
        await tls.AuthenticateAsClientAsync(Web.Trusting(Cluster));
        await tls.WriteAsync(Encoding.ASCII.GetBytes(SClient.Get("/slow")));
        byte[] buffer = new byte[64 * 1024];
        long received = await tls.ReadAsync(buffer); // it has begun, and now the client stops reading

        for (int i = 0; i < 10; i++)
        {
            ToolResult other = await Tool.RunAsync("curl", ["-sS", "--cacert", Cluster.CertificateAuthority, "-o", "/dev/null", "-w", "%{size_download}", Url("/fast")]);
            Assert.Equal($"{20 << 20}", other.Succeeded().Output);
        }

        Assert.InRange(Interlocked.Read(ref written), 1, MostInFlight);
        for (int read; (read = await tls.ReadAsync(buffer)) > 0;)
            received += read;
        Assert.InRange(received, Length, Length + 4096);
    }

    private static async Task EchoWebSocketAsync(HttpContext context)
    {
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } part)
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, context.RequestAborted);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
    }

    private static async Task<byte[]> ReceiveAsync(WebSocket socket)
    {
        using var limit = new CancellationTokenSource(Tool.DefaultDeadline);
        using var message = new MemoryStream();
        byte[] buffer = new byte[32 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return message.ToArray();
    }
}
