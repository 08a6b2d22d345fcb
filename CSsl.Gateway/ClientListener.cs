using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CSsl.Hosting.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CSsl.Gateway;

/// <summary>
/// The sockets on which clients connect. A client that vanished without a word is found by TCP's own probes: a sleeping connection has no other clock.
/// </summary>
internal static class ClientListener
{
    /// <summary>Seconds without a segment before the first probe, between two, and how many are not answered: a client that is gone is gone after four minutes.</summary>
    private const int ProbeAfter = 120, ProbeInterval = 30, Probes = 4;

    // Linux: socket(7).
    private const int SolSocket = 1;
    private const int SoReusePort = 15;

    /// <summary>A bound socket, whose options the accepted ones inherit.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="isShared">True: other processes of the same user may bind beside it, and the kernel spreads the connections (SO_REUSEPORT).</param>
    /// <exception cref="ConfigurationException">Sharing is asked for on an operating system that can't.</exception>
    public static Socket Bind(IPEndPoint endpoint, bool isShared)
    {
        var socket = isShared ? BindShared(endpoint) : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, ProbeAfter);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeInterval);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        return socket;
    }

    private static Socket BindShared(IPEndPoint endpoint)
    {
        if (!OperatingSystem.IsLinux())
            throw new ConfigurationException($"{GatewayOptions.Section}:{nameof(GatewayOptions.ReusePort)} needs Linux");

        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            Span<byte> yes = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(yes, 1);
            socket.SetRawSocketOption(SolSocket, SoReusePort, yes);
            socket.Bind(endpoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
