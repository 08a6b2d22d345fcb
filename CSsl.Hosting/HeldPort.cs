using System.Net;
using System.Net.Sockets;

namespace CSsl.Hosting;

/// <summary>
/// A free port for somebody who can't listen on port 0 because others must know the number before. It stays taken: this socket is bound for as long as it
/// lives, but doesn't listen, so the one it is for can bind the same address and listen there (both set SO_REUSEADDR, which .NET does for every TCP socket on
/// Unix), in this process or in another, and the kernel gives the port to nobody who asks for any (ip(7), bind(2)).
/// </summary>
public sealed class HeldPort : IDisposable
{
    private readonly Socket _socket;

    /// <param name="endpoint">The address; its port is 0.</param>
    /// <exception cref="SocketException">This machine can't listen there.</exception>
    public HeldPort(IPEndPoint endpoint)
    {
        _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                _socket.DualMode = true;
            _socket.Bind(endpoint);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Where to listen.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
