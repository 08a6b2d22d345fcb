using System.Net;
using System.Net.Sockets;
using CSsl.Gateway.Connections;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway;

/// <summary>Where the gateway listens: for clients on Gateway:Listen, for its operator on Gateway:Admin.</summary>
internal sealed class GatewayListeners(IOptions<GatewayOptions> options) : IConfigureOptions<KestrelServerOptions>, IConfigureOptions<SocketTransportOptions>
{
    /// <summary>Name of the gateway's admin endpoint.</summary>
    public const string Admin = "gateway";

    /// <summary>Bytes of one client that wait for its silo; at least one whole record.</summary>
    private const int MaxReadBuffer = 64 * 1024;

    /// <summary>Where clients connect.</summary>
    public static IEnumerable<IPEndPoint> ClientEndpoints(GatewayOptions options)
        => (options.Listen is { Count: > 0 } listen ? listen : [GatewayOptions.DefaultListen]).Select(HostPort.Parse);

    /// <inheritdoc/>
    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        foreach (var address in ClientEndpoints(options.Value))
            kestrel.Listen(address, static endpoint => endpoint.UseConnectionHandler<GatewayConnectionHandler>());
        kestrel.Listen(HostPort.Parse(options.Value.Admin), static endpoint => endpoint.UseAdmin(Admin));
    }

    /// <inheritdoc/>
    public void Configure(SocketTransportOptions socket)
    {
        // No hop between the socket's thread and ours: what runs there (parse a header, copy, queue) is shorter than the hop.
        socket.UnsafePreferInlineScheduling = true;

        // An idle connection holds no buffer.
        socket.WaitForDataBeforeAllocatingBuffer = true;
        socket.MaxReadBufferSize = MaxReadBuffer;

        // A flush completes once the kernel has taken all of it: only then has a record left our memory and is its credit returned, and only
        // then may FIN follow. What waits is bounded by the channel's credit, not by this pipe.
        socket.MaxWriteBufferSize = 1;
        socket.NoDelay = true;
        socket.Backlog = 4096;
        socket.CreateBoundListenSocket = Bind;
    }

    /// <summary>Nobody shares the admin endpoint, whose answers are one gateway's own.</summary>
    private Socket Bind(EndPoint endpoint)
        => endpoint is IPEndPoint address && !address.Equals(HostPort.Parse(options.Value.Admin)) ? ClientListener.Bind(address, options.Value.ReusePort) : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
}
