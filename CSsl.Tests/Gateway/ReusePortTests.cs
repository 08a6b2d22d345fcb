using System.Net;
using System.Net.Sockets;
using CSsl.Gateway;
using Xunit;

namespace CSsl.Tests.Gateway;

public sealed class ReusePortTests
{
    [Fact]
    public async Task Two_listeners_share_a_port_and_a_stranger_does_not_get_in()
    {
        using var first = ReusePort.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        first.Listen();
        var endpoint = (IPEndPoint)first.LocalEndPoint!;
        using var second = ReusePort.Bind(endpoint);
        second.Listen();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => stranger.Bind(endpoint)).SocketErrorCode);

        // Who leaves takes nobody with him.
        first.Dispose();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(endpoint);
        using var accepted = await second.AcceptAsync();
        Assert.Equal(client.LocalEndPoint, accepted.RemoteEndPoint);
    }
}
