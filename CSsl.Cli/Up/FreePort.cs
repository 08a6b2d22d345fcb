using System.Net;
using System.Net.Sockets;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Up;

/// <summary>Checks addresses before anything is started, to say in one line what is wrong.</summary>
internal static class FreePort
{
    /// <returns>The address, with a free port in place of 0.</returns>
    /// <exception cref="InUseException">Another process listens there.</exception>
    /// <exception cref="ConfigurationException">This machine can't listen there.</exception>
    public static IPEndPoint Require(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen();
            return (IPEndPoint)socket.LocalEndPoint!;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new InUseException(PortOwner.Describe(endpoint.Port), e);
        }
        catch (SocketException e)
        {
            throw new ConfigurationException($"can't listen on {endpoint}: {e.Message}", e);
        }
    }
}
