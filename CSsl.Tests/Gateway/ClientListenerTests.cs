using System.Net;
using System.Net.Sockets;
using CSsl.Gateway;
using Xunit;

namespace CSsl.Tests.Gateway;

public sealed class ClientListenerTests
{
    [Fact]
    public async Task Two_listeners_share_a_port_and_a_stranger_does_not_get_in()
    {
        using var first = Listen(new IPEndPoint(IPAddress.Loopback, 0), isShared: true);
        var endpoint = (IPEndPoint)first.LocalEndPoint!;
        using var second = Listen(endpoint, isShared: true);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => Bind(endpoint)).SocketErrorCode);

        // Who leaves takes nobody with him.
        first.Dispose();
        using var client = await ConnectAsync(endpoint);
        using var accepted = await second.AcceptAsync();
        Assert.Equal(client.LocalEndPoint, accepted.RemoteEndPoint);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accepted_client_is_probed_when_it_is_silent(bool isShared)
    {
        using var listener = Listen(new IPEndPoint(IPAddress.Loopback, 0), isShared);
        using var client = await ConnectAsync((IPEndPoint)listener.LocalEndPoint!);
        using var accepted = await listener.AcceptAsync();
        Assert.NotEqual(0, (int)accepted.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(120, (int)accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
        Assert.Equal(30, (int)accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!);
        Assert.Equal(4, (int)accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!);
    }

    private static Socket Listen(IPEndPoint endpoint, bool isShared)
    {
        var socket = ClientListener.Bind(endpoint, isShared);
        socket.Listen();
        return socket;
    }

    private static void Bind(IPEndPoint endpoint)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endpoint);
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint endpoint)
    {
        var client = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(endpoint);
        return client;
    }
}
