using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CSsl.Cli.Origin;

namespace CSsl.Bench.Chaos;

/// <summary>A keep-alive client with one connection: fetches, checks every byte, pauses, sometimes for so long that its connection falls asleep.</summary>
internal sealed class ChaosClient : IDisposable
{
    private const int SmallestBytes = 1000;
    private static readonly TimeSpan RequestDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ShortestStall = TimeSpan.FromMilliseconds(5);

    private readonly HttpClient _http;
    private readonly Random _random;
    private readonly int _largestBytes;
    private readonly List<string> _losses = [];
    private readonly List<Stall> _stalls = [];
    private readonly Lock _gate = new();
    private long _waitingSince;

    public ChaosClient(int port, X509Certificate2 authority, Random random, int largestBytes)
    {
        (_random, _largestBytes) = (random, largestBytes);
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = 1,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            ConnectCallback = ConnectAsync,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{port}"), DefaultRequestVersion = HttpVersion.Version11, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Requests answered in full.</summary>
    public int Requests { get; private set; }

    /// <summary>Bytes of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>Connections that it made; more than one means that one was lost, though HttpClient may have hidden it.</summary>
    public int Connections { get; private set; }

    /// <summary>What went wrong, with the time.</summary>
    public IReadOnlyList<string> Losses => _losses;

    /// <summary>The longest that it waited for its next byte between two moments, from the first of them at the earliest; zero if it didn't.</summary>
    public TimeSpan LongestWait(long from, long until)
    {
        lock (_gate)
        {
            return _stalls.Where(stall => stall.End > from && stall.Start < until)
                .Select(stall => Stopwatch.GetElapsedTime(Math.Max(from, stall.Start), stall.End))
                .DefaultIfEmpty()
                .Max();
        }
    }

    /// <summary>Fetches until it is told to stop; the request under way is finished.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        byte[] buffer = new byte[64 * 1024];
        byte[] expected = new byte[buffer.Length];
        while (!stop.IsCancellationRequested)
        {
            // Small ones more often: even on a logarithmic scale.
            int size = (int)(SmallestBytes * Math.Pow((double)_largestBytes / SmallestBytes, _random.NextDouble()));
            await FetchAsync(size, buffer, expected);
            TimeSpan pause = TimeSpan.FromSeconds(_random.Next(10) == 0 ? 5 + 5 * _random.NextDouble() : _random.NextDouble());
            await Task.Delay(pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task FetchAsync(int size, byte[] buffer, byte[] expected)
    {
        using var deadline = new CancellationTokenSource(RequestDeadline);
        long at = 0;
        _waitingSince = Stopwatch.GetTimestamp();
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(new Uri($"/bytes/{size}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            OnBytes();
            response.EnsureSuccessStatusCode();
            await using Stream body = await response.Content.ReadAsStreamAsync(deadline.Token);
            for (int read; (read = await body.ReadAsync(buffer, deadline.Token)) > 0; at += read)
            {
                OnBytes();
                SampleBytes.Fill(at, expected.AsSpan(0, read));
                if (!buffer.AsSpan(0, read).SequenceEqual(expected.AsSpan(0, read)))
                    throw new InvalidDataException($"wrong bytes at {at}");
            }

            if (at != size)
                throw new InvalidDataException($"{at} bytes, and then a good end");
            Requests++;
            Bytes += size;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException or OperationCanceledException)
        {
            _losses.Add($"{DateTime.UtcNow:HH:mm:ss.fff} /bytes/{size} after {at} bytes: {e.Message}{(e.InnerException is { } inner ? $" ({inner.Message})" : "")}");
        }
    }

    private void OnBytes()
    {
        long now = Stopwatch.GetTimestamp();
        if (Stopwatch.GetElapsedTime(_waitingSince, now) >= ShortestStall)
        {
            lock (_gate)
                _stalls.Add(new Stall(_waitingSince, now));
        }

        _waitingSince = now;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        Connections++;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private readonly record struct Stall(long Start, long End);
}
