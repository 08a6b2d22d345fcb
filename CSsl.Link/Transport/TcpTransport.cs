using System.Net;
using System.Net.Sockets;

namespace CSsl.Link;

/// <summary>Links between processes. Endpoints are "host:port", "1.2.3.4:port" or "[::1]:port".</summary>
internal sealed class TcpTransport : ILinkTransport
{
    public static TcpTransport Instance { get; } = new();

    public bool IsWithinProcess => false;

    public ILinkTransportListener Listen(string endpoint)
    {
        var (host, port) = Split(endpoint);
        try
        {
            var address = IPAddress.TryParse(host, out var literal) ? literal : Dns.GetHostAddresses(host)[0];
            return new TcpTransportListener(new IPEndPoint(address, port));
        }
        catch (SocketException e)
        {
            throw new LinkException($"Can't listen on {endpoint}: {e.Message}", e);
        }
    }

    public async ValueTask<Stream> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        var (host, port) = Split(endpoint);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (IPAddress.TryParse(host, out var address))
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            else
                await socket.ConnectAsync(host, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new LinkException($"No connection to {endpoint}: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static (string Host, int Port) Split(string endpoint)
    {
        var colon = endpoint.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(endpoint.AsSpan(colon + 1), out var port))
            throw new LinkException($"'{endpoint}' is no endpoint: it should be host:port.");
        return (endpoint[..colon].TrimStart('[').TrimEnd(']'), port);
    }
}

/// <summary>A bound TCP socket.</summary>
internal sealed class TcpTransportListener : ILinkTransportListener
{
    private const int Backlog = 512;

    private readonly Socket _socket;
    private volatile bool _closed;

    public TcpTransportListener(IPEndPoint endpoint)
    {
        _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(endpoint);
            _socket.Listen(Backlog);
            Endpoint = _socket.LocalEndPoint!.ToString()!;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public string Endpoint { get; }

    public async ValueTask<(Stream Stream, string From)?> AcceptAsync()
    {
        try
        {
            var accepted = await _socket.AcceptAsync();
            try
            {
                accepted.NoDelay = true;
                var from = accepted.RemoteEndPoint?.ToString() ?? "?";
                return (new NetworkStream(accepted, ownsSocket: true), from);
            }
            catch
            {
                accepted.Dispose();
                throw;
            }
        }
        catch (Exception e) when (_closed && e is SocketException or ObjectDisposedException)
        {
            return null;
        }
        catch (SocketException e)
        {
            throw new IOException($"Accepting on {Endpoint} failed: {e.Message}", e);
        }
    }

    public ValueTask DisposeAsync()
    {
        _closed = true;
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
