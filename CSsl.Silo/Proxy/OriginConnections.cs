using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace CSsl.Silo.Proxy;

/// <summary>All places for connections to origins are taken, and none came free in time.</summary>
internal sealed class NoOriginPlaceException(int capacity) : IOException($"All {capacity} connections to origins are in use");

/// <summary>
/// Bounds the connections of this silo to all origins together: each takes a file descriptor. A request that needs one more waits for a while, also for one
/// that another request gives back; then it is answered with 503.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A SemaphoreSlim without a wait handle holds nothing, and connections give their places back after the end of the host.")]
internal sealed class OriginConnections
{
    /// <summary>Seconds without a segment before the first probe, between two, and how many are not answered: as with clients, an origin that vanished is gone after four minutes.</summary>
    private const int ProbeAfter = 120, ProbeInterval = 30, Probes = 4;

    private readonly SemaphoreSlim _places;
    private readonly int _capacity;
    private readonly TimeSpan _patience;
    private readonly Counter<long> _refused;

    /// <param name="capacity">How many there may be.</param>
    /// <param name="patience">How long a request waits.</param>
    /// <param name="meters">Counts them.</param>
    public OriginConnections(int capacity, TimeSpan patience, IMeterFactory meters)
    {
        (_capacity, _patience, _places) = (capacity, patience, new SemaphoreSlim(capacity));
        var meter = meters.Create("CSsl.Proxy");
        meter.CreateObservableUpDownCounter("cssl.origin.connections", () => Count, "{connection}", "Connections to origins, idle ones included");
        meter.CreateObservableGauge("cssl.origin.capacity", () => _capacity, "{connection}", "Connections to origins that there is room for");
        _refused = meter.CreateCounter<long>("cssl.origin.refused", "{request}", "Requests that got no connection to an origin because all were in use");
    }

    /// <summary>Connections that are open.</summary>
    public int Count => _capacity - _places.CurrentCount;

    /// <summary>Makes a client's connections ours.</summary>
    public void Bound(SocketsHttpHandler handler)
    {
        handler.ConnectCallback = ConnectAsync;

        // Idle ones of one origin keep places from another's requests: they go before who waits gives up. .NET looks for them four times in that time, at most once a second.
        handler.PooledConnectionIdleTimeout = _patience / 2;
    }

    /// <summary>Makes the answer to a request that got no connection a 503, which says what is wrong and that trying again may help.</summary>
    public void Observe(HttpContext context)
    {
        if (context.Response.HasStarted || context.Features.Get<IForwarderErrorFeature>()?.Exception?.GetBaseException() is not NoOriginPlaceException)
            return;
        _refused.Add(1);
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        context.Response.Headers.RetryAfter = "1";
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (!await _places.WaitAsync(_patience, cancellationToken))
            throw new NoOriginPlaceException(_capacity);

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, ProbeAfter);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeInterval);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new CountedStream(socket, _places);
        }
        catch
        {
            socket.Dispose();
            _places.Release();
            throw;
        }
    }

    /// <summary>Gives the place back once the descriptor is free.</summary>
    private sealed class CountedStream(Socket socket, SemaphoreSlim places) : NetworkStream(socket, ownsSocket: true)
    {
        private int _isClosed;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _isClosed, 1) == 0)
                places.Release();
        }
    }
}
