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

    private readonly HttpClient _http;
    private readonly Random _random;
    private readonly int _largestBytes;
    private readonly List<string> _losses = [];
    private long _requestAt;
    private long _progressAt;

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

    /// <summary>Since when a request is under way; 0: none is.</summary>
    public long RequestAt => Volatile.Read(ref _requestAt);

    /// <summary>When the last bytes came.</summary>
    public long ProgressAt => Volatile.Read(ref _progressAt);

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
        Volatile.Write(ref _requestAt, Stopwatch.GetTimestamp());
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(new Uri($"/bytes/{size}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            Volatile.Write(ref _progressAt, Stopwatch.GetTimestamp());
            response.EnsureSuccessStatusCode();
            await using Stream body = await response.Content.ReadAsStreamAsync(deadline.Token);
            for (int read; (read = await body.ReadAsync(buffer, deadline.Token)) > 0; at += read)
            {
                Volatile.Write(ref _progressAt, Stopwatch.GetTimestamp());
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
        finally
        {
            Volatile.Write(ref _requestAt, 0);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        Connections++;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
