using System.Net;
using System.Net.Sockets;

namespace CSsl.Tests.Support;

/// <summary>A TCP client that speaks no TLS: sends what it is told, and sees how the other side ends the connection.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    /// <summary>Connects to 127.0.0.1.</summary>
    /// <param name="port">Port.</param>
    /// <param name="from">Source address, any of 127.0.0.0/8; the system's choice when omitted.</param>
    public static async Task<RawClient> ConnectAsync(int port, IPAddress? from = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (from is not null)
                socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return new RawClient(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Its own address and port, as the server's log names it.</summary>
    public EndPoint LocalEndPoint => _socket.LocalEndPoint!;

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _socket.SendAsync(bytes);

    /// <summary>FIN; reading goes on.</summary>
    public void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Sends all and then FIN; a server that has already closed is no error.</summary>
    public async Task SendAndFinishAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await SendAsync(bytes);
            FinishSending();
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.NotConnected)
        {
            // It refused what came first, and did not wait for the rest.
        }
    }

    /// <summary>Reads until the server ends the connection, by FIN or reset.</summary>
    /// <exception cref="TimeoutException">It did not, in time.</exception>
    public async Task<RawEnd> ReadToEndAsync(TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(30));
        List<byte> received = [];
        byte[] buffer = new byte[16 * 1024];
        try
        {
            for (int read; (read = await _socket.ReceiveAsync(buffer, limit.Token)) > 0;)
                received.AddRange(buffer.AsSpan(0, read));
            return new RawEnd([.. received], WasReset: false);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return new RawEnd([.. received], WasReset: true);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the server kept the connection open; it had sent {Convert.ToHexString([.. received])}");
        }
    }

    public void Dispose() => _socket.Dispose();
}

/// <summary>How a server ended a connection, and what it sent before.</summary>
internal sealed record RawEnd(byte[] Received, bool WasReset)
{
    /// <summary>The description of the alert record that came last, or null.</summary>
    public int? Alert => Received is [.., 21, 3, _, 0, 2, _, byte description] ? description : null;
}
