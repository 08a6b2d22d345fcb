using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using CSsl.Cli.Sessions;
using CSsl.Grains.Data;
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

    /// <summary>What a client reads at most of what the server sends on after the client's end.</summary>
    private const int ReadsOn = 1_000_000;

    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("CSSL_TEST_ENDS"), CultureInfo.InvariantCulture, out int count) ? count : 600;

    // What is upgraded and says nothing ends after this; far beyond what a test's exchange takes.
    private static readonly TimeSpan ActivityTime = TimeSpan.FromSeconds(10);

    private readonly byte[] _frame = new byte[20_000];
    private TestOrigin _origin = null!;
    private Cluster _cluster = null!;
    private SleepWatch _sleep = null!;
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
        _sleep = new SleepWatch($"127.0.0.1:{_cluster.AdminPort}");
    }

    public async ValueTask DisposeAsync()
    {
        _sleep.Dispose();
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

            // The first round of all kinds leaves at once, the next one waits for what the server does about it, and so on.
            await EndAsync(stage, end, waits: i / kinds.Length % 2 == 1);
        });

        await over.CancelAsync();
        await moving;
        output.WriteLine($"{Count} connections, {kinds.Length} kinds of end, {_upgraded} upgraded; sessions were listed {_sleep.Answers} times, within {_sleep.Longest.TotalSeconds:0.00} s\n{string.Join("\n", _errors.OrderByDescending(static error => error.Value).Take(20).Select(static error => $"{error.Value} {error.Key}"))}");
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

    private async Task EndAsync(Stage stage, ClientEnd end, bool waits)
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
                await LeaveAsync(socket, null, end, waits, limit.Token);
                await handshake.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }

            await tls.AuthenticateAsClientAsync(Web.Trusting(_cluster), limit.Token);
            await BeginAsync(socket, tls, stage, limit.Token);
            await LeaveAsync(socket, tls, end, waits, limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The other side was faster.
            _errors.AddOrUpdate($"{stage}: {e.Message}", 1, static (_, count) => count + 1);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"{stage}, {end}: the server did nothing", e);
        }
    }

    private async Task BeginAsync(Socket socket, SslStream tls, Stage stage, CancellationToken cancellationToken)
    {
        if (stage is Stage.Asleep or Stage.JustServed)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"), cancellationToken);
            await ReadUntilAsync(tls, "hello", cancellationToken);
            if (stage == Stage.Asleep)
                await _sleep.WaitAsync($"{socket.LocalEndPoint}");
            return;
        }

        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET /{stage} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), cancellationToken);
        await ReadUntilAsync(tls, "\r\n\r\n", cancellationToken);
        await tls.WriteAsync(stage == Stage.Sending ? _frame : _frame.AsMemory(0, 100), cancellationToken);
        if (stage == Stage.Receiving)
            _ = await tls.ReadAsync(new byte[1000], cancellationToken);
    }

    private static async Task LeaveAsync(Socket socket, SslStream? tls, ClientEnd end, bool waits, CancellationToken cancellationToken)
    {
        bool isServersTurn = true;
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
                isServersTurn = end == ClientEnd.PartOfARecordAndFin;
                if (isServersTurn)
                    socket.Shutdown(SocketShutdown.Send);
                break;
            case ClientEnd.NoRecord:
                await socket.SendAsync("this is no record"u8.ToArray(), cancellationToken);
                break;
            case ClientEnd.Waits:
                break;
            default:
                isServersTurn = false;
                break;
        }

        // The last of it: a client reads on until the server ends its side, or has sent much, and closes; or resets.
        if (waits && isServersTurn)
            await ReadOnAsync(socket, cancellationToken);
        if (end is ClientEnd.Reset or ClientEnd.CloseNotifyAndReset or ClientEnd.FinAndReset or ClientEnd.PartOfARecordAndReset)
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Close();
    }

    private static async Task ReadOnAsync(Socket socket, CancellationToken cancellationToken)
    {
        byte[] rest = new byte[16 * 1024];
        for (int left = ReadsOn, read = 1; left > 0 && read > 0; left -= read)
            read = await socket.ReceiveAsync(rest, cancellationToken);
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
            foreach (string roles in (string[])["handshake", "data"])
                (await Cssl.RunAsync(["roles", silos[i % 2], roles, "--wait", "--admin", $"{_cluster.AdminPort}"])).Succeeded();
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

    /// <summary>Which clients' sessions sleep. However many wait, sessions are listed once at a time.</summary>
    private sealed class SleepWatch(string admin) : IDisposable
    {
        private readonly SessionClient _sessions = new(admin);
        private readonly Lock _gate = new();
        private Task<HashSet<string>> _asking = Task.FromResult<HashSet<string>>([]);

        public int Answers { get; private set; }

        public TimeSpan Longest { get; private set; }

        public Task WaitAsync(string client) => Eventually.TrueAsync(async () => (await AskAsync()).Contains(client), "the session sleeps");

        public void Dispose() => _sessions.Dispose();

        private Task<HashSet<string>> AskAsync()
        {
            lock (_gate)
                return _asking.IsCompletedSuccessfully ? _asking = ListAsync() : _asking;
        }

        private async Task<HashSet<string>> ListAsync()
        {
            long start = Stopwatch.GetTimestamp();
            SessionList all = await _sessions.ListAsync(new SessionQuery { Limit = SessionQuery.MaxLimit }, CancellationToken.None);
            (Answers, Longest) = (Answers + 1, Stopwatch.GetElapsedTime(start) is var time && time > Longest ? time : Longest);
            return [.. all.Sessions.Where(static session => session.State == SessionState.Asleep).Select(static session => session.Client)];
        }
    }
}
