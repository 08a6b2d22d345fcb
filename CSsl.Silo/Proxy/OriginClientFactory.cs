using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using Yarp.ReverseProxy.Forwarder;

namespace CSsl.Silo.Proxy;

/// <summary>Makes the clients that YARP asks origins with.</summary>
internal sealed class OriginClientFactory : ForwarderHttpClientFactory
{
    /// <summary>Seconds without a segment before the first probe, between two, and how many are not answered: as with clients, an origin that vanished is gone after four minutes.</summary>
    private const int ProbeAfter = 120, ProbeInterval = 30, Probes = 4;

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        // RFC 9110 section 5.5: octets above 0x7F are opaque. Latin-1 carries each one as it is. The cluster's own choice goes before.
        handler.RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
        base.ConfigureHandler(context, handler);
        handler.ActivityHeadersPropagator = null;
        handler.ConnectCallback = ConnectAsync;
        handler.PlaintextStreamFilter = static (context, _) => ValueTask.FromResult<Stream>(new OriginStream(context.PlaintextStream));
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) => new UpgradeFollower(handler);

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The stream owns the socket.")]
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, ProbeAfter);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeInterval);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Follows requests that ask for an upgrade to their connection.</summary>
    private sealed class UpgradeFollower(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => request.Headers.NonValidated.Contains("Upgrade") ? FollowAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);

        // Async for its own execution context: what follows one request must not follow the next.
        private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            OriginStream.Follow(request);
            return await base.SendAsync(request, cancellationToken);
        }
    }
}
