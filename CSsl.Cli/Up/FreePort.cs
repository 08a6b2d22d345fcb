using System.Net;
using System.Net.Sockets;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Up;

/// <summary>Checks addresses, and picks ports, before anything is started, to say in one line what is wrong.</summary>
internal static class FreePort
{
    /// <summary>Makes sure that a process can listen there.</summary>
    /// <exception cref="InUseException">Another process listens there.</exception>
    /// <exception cref="ConfigurationException">This machine can't listen there.</exception>
    public static void Require(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new InUseException(PortOwner.Describe(endpoint.Port), e);
        }
        catch (SocketException e)
        {
            throw Explained(endpoint, e);
        }
    }

    /// <summary>A free port of an address, for a process that is started later.</summary>
    /// <exception cref="ConfigurationException">This machine can't listen there.</exception>
    public static HeldPort Hold(IPEndPoint endpoint)
    {
        try
        {
            return new HeldPort(endpoint);
        }
        catch (SocketException e)
        {
            throw Explained(endpoint, e);
        }
    }

    /// <summary>An address that the machine does not have may come later: no error of the configuration.</summary>
    private static Exception Explained(IPEndPoint endpoint, SocketException e)
    {
        var message = $"can't listen on {endpoint}: {e.Message}";
        return e.SocketErrorCode == SocketError.AddressNotAvailable ? new IOException(message, e) : new ConfigurationException(message, e);
    }
}
