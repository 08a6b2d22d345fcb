using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using CSsl.Tests.Support;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>HttpClient with one connection at a time, which is counted: HttpClient hides a lost one behind a second.</summary>
internal sealed class KeepAliveClient : IDisposable
{
    private readonly int _port;
    private int _connections;

    public KeepAliveClient(Cluster cluster) : this(cluster.Port, Web.Trusting(cluster))
    {
    }

    /// <param name="port">Where it connects, on 127.0.0.1.</param>
    /// <param name="trusting">Whom it trusts.</param>
    public KeepAliveClient(int port, SslClientAuthenticationOptions trusting)
    {
        _port = port;
        var handler = new SocketsHttpHandler { SslOptions = trusting, MaxConnectionsPerServer = 1, PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan, ConnectCallback = ConnectAsync };
        Http = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{port}"), Timeout = Tool.DefaultDeadline };
    }

    public HttpClient Http { get; }

    /// <summary>Connections that it made.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public void Dispose() => Http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _connections);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _port, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
