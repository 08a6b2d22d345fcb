using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>However a connection ends, no process keeps it. CSSL_TEST_ENDS says how many are tried.</summary>
[Collection(OwnCluster.Name)]
public sealed class ConnectionEndTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int AtOnce = 40;

    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("CSSL_TEST_ENDS"), CultureInfo.InvariantCulture, out int count) ? count : 600;

    // What is upgraded and says nothing ends after this; far beyond what a test's exchange takes.
    private static readonly TimeSpan ActivityTime = TimeSpan.FromSeconds(10);

    private readonly byte[] _frame = new byte[20_000];
    private TestOrigin _origin = null!;
    private Cluster _cluster = null!;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, int> _errors = new();
    private int _upgraded;

    /// <summary>How the client ends its side.</summary>
    private enum ClientEnd
    {
        Fin,
        Reset,
        CloseNotify,
        CloseNotifyAndFin,
        CloseNotifyAndReset,
        FinAndReset,
        PartOfARecordAndFin,
        PartOfARecordAndReset,
        NoRecord,

        /// <summary>It waits for the origin's end.</summary>
        Waits,
    }

    /// <summary>What the connection is when it ends.</summary>
    private enum Stage
    {
        Upgraded,
        Receiving,
        Sending,
        OriginCloses,
        OriginAborts,
        Asleep,
        JustServed,
        Handshake,
    }

    public async ValueTask InitializeAsync()
    {
        _origin = await TestOrigin.StartAsync();
        _origin.Handler = ServeAsync;
        _cluster = await Cluster.StartAsync(new ClusterSettings
        {
            DataSilos = 2,
            Arguments =
            [
                "--Silo:HibernateAfter=200ms", "--ReverseProxy:Routes:all:ClusterId=web", "--ReverseProxy:Routes:all:Match:Path={**path}",
                $"--ReverseProxy:Clusters:web:Destinations:one:Address={_origin.Address}", $"--ReverseProxy:Clusters:web:HttpRequest:ActivityTimeout={ActivityTime:c}",
            ],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task Every_kind_of_end_ends_the_connection_everywhere()
    {
        (Stage, ClientEnd)[] kinds = [.. from stage in Enum.GetValues<Stage>() from end in Enum.GetValues<ClientEnd>() where end != ClientEnd.Waits || stage is Stage.OriginCloses or Stage.OriginAborts select (stage, end)];
        using var over = new CancellationTokenSource();
        Task moving = MoveAsync(over.Token);

        await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            (Stage stage, ClientEnd end) = kinds[i % kinds.Length];
            await EndAsync(stage, end);
        });

        await over.CancelAsync();
        await moving;
        output.WriteLine($"{Count} connections, {kinds.Length} kinds of end, {_upgraded} upgraded\n{string.Join("\n", _errors.OrderByDescending(static error => error.Value).Take(20).Select(static error => $"{error.Value} {error.Key}"))}");
        Assert.InRange(_upgraded, Count / 4, Count);
        try
        {
            await Eventually.TrueAsync(async () => await _cluster.CounterAsync("cssl_gateway_connections ") + await _cluster.CounterAsync("cssl_gateway_asleep ") == 0, "the gateway has none left", 3 * ActivityTime, TimeSpan.FromSeconds(0.5));
        }
        catch (TimeoutException)
        {
            output.WriteLine((await Cssl.RunAsync(["status", "--admin", $"{_cluster.AdminPort}"])).Output);
            throw;
        }

        (await _cluster.CurlAsync("/")).Succeeded();
    }

    private async Task EndAsync(Stage stage, ClientEnd end)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _cluster.Port), limit.Token);
            await using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
            if (stage == Stage.Handshake)
            {
                Task handshake = tls.AuthenticateAsClientAsync(Web.Trusting(_cluster), limit.Token);
                await LeaveAsync(socket, null, end, limit.Token);
                await handshake.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            await tls.AuthenticateAsClientAsync(Web.Trusting(_cluster), limit.Token);
            await BeginAsync(tls, stage, limit.Token);
            await LeaveAsync(socket, tls, end, limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The other side was faster.
            _errors.AddOrUpdate($"{stage}: {e.Message}", 1, static (_, count) => count + 1);
        }
    }

    private async Task BeginAsync(SslStream tls, Stage stage, CancellationToken cancellationToken)
    {
        if (stage is Stage.Asleep or Stage.JustServed)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"), cancellationToken);
            await ReadUntilAsync(tls, "hello", cancellationToken);
            if (stage == Stage.Asleep)
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(100, 1500)), cancellationToken);
            return;
        }

        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET /{stage} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), cancellationToken);
        await ReadUntilAsync(tls, "\r\n\r\n", cancellationToken);
        await tls.WriteAsync(stage == Stage.Sending ? _frame : _frame.AsMemory(0, 100), cancellationToken);
        if (stage == Stage.Receiving)
            _ = await tls.ReadAsync(new byte[1000], cancellationToken);
    }

    private static async Task LeaveAsync(Socket socket, SslStream? tls, ClientEnd end, CancellationToken cancellationToken)
    {
        switch (end)
        {
            case ClientEnd.Fin or ClientEnd.FinAndReset:
                socket.Shutdown(SocketShutdown.Send);
                break;
            case ClientEnd.CloseNotify or ClientEnd.CloseNotifyAndFin or ClientEnd.CloseNotifyAndReset when tls is not null:
                await tls.ShutdownAsync();
                if (end == ClientEnd.CloseNotifyAndFin)
                    socket.Shutdown(SocketShutdown.Send);
                break;
            case ClientEnd.PartOfARecordAndFin or ClientEnd.PartOfARecordAndReset:
                await socket.SendAsync(new byte[] { 23, 3, 3, 1, 0, 1, 2, 3 }, cancellationToken);
                if (end == ClientEnd.PartOfARecordAndFin)
                    socket.Shutdown(SocketShutdown.Send);
                break;
            case ClientEnd.NoRecord:
                await socket.SendAsync("this is no record"u8.ToArray(), cancellationToken);
                break;
            default:
                break;
        }

        // The last of it: a client reads on until the server ends its side, for a while, and closes; or resets.
        if (end is ClientEnd.Reset or ClientEnd.CloseNotifyAndReset or ClientEnd.FinAndReset or ClientEnd.PartOfARecordAndReset)
        {
            await Task.Delay(Random.Shared.Next(0, 20), cancellationToken);
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        else if (Random.Shared.Next(2) == 0)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(TimeSpan.FromSeconds(1));
            byte[] rest = new byte[4096];
            try
            {
                while (await socket.ReceiveAsync(rest, patience.Token) > 0)
                {
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // It keeps its side open, as it may.
            }
        }

        socket.Close();
    }

    private static async Task ReadUntilAsync(SslStream tls, string end, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            if (await tls.ReadAsync(one, cancellationToken) == 0)
                throw new IOException("It was closed.");
            text.Append((char)one[0]);
        }
    }

    /// <summary>Sends the sessions that can move from one data silo to the other and back.</summary>
    private async Task MoveAsync(CancellationToken over)
    {
        string[] silos = ["data-1", "data-2"];
        for (int i = 0; !over.IsCancellationRequested; i++)
        {
            (await Cssl.RunAsync(["roles", silos[i % 2], "handshake", "--admin", $"{_cluster.AdminPort}"])).Succeeded();
            await Task.Delay(TimeSpan.FromSeconds(1), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            (await Cssl.RunAsync(["roles", silos[i % 2], "data", "--admin", $"{_cluster.AdminPort}"])).Succeeded();
            await Task.Delay(TimeSpan.FromSeconds(1), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
        {
            await context.Response.WriteAsync("hello");
            return;
        }

        Interlocked.Increment(ref _upgraded);
        context.Response.Headers.Upgrade = "websocket";
        await using Stream stream = await upgrade.UpgradeAsync();
        switch (Enum.Parse<Stage>(context.Request.Path.Value![1..]))
        {
            case Stage.Receiving:
                while (!context.RequestAborted.IsCancellationRequested)
                    await stream.WriteAsync(_frame, context.RequestAborted);
                break;
            case Stage.OriginCloses:
                await stream.ReadExactlyAsync(new byte[100], context.RequestAborted);
                await stream.WriteAsync(_frame, context.RequestAborted);
                break;
            case Stage.OriginAborts:
                await stream.ReadExactlyAsync(new byte[100], context.RequestAborted);
                await stream.WriteAsync(_frame, context.RequestAborted);
                context.Abort();
                break;
            default:
                await stream.CopyToAsync(Stream.Null, context.RequestAborted);
                break;
        }
    }
}
