using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CSsl.Grains.Configuration;

namespace CSsl.Gateway;

/// <summary>Listening sockets that share their port with other processes of the same user: the kernel spreads the connections (socket(7), SO_REUSEPORT).</summary>
internal static class ReusePort
{
    private const int SolSocket = 1;
    private const int SoReusePort = 15;

    /// <summary>A bound socket that others may bind beside.</summary>
    /// <exception cref="ConfigurationException">Not on this operating system.</exception>
    public static Socket Bind(IPEndPoint endpoint)
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
