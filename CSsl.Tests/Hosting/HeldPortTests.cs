using System.Net;
using System.Net.Sockets;
using CSsl.Gateway;
using CSsl.Hosting;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class HeldPortTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::")]
    public void Port_is_nobody_elses_and_the_one_it_is_for_can_listen(string address)
    {
        using var held = new HeldPort(new IPEndPoint(IPAddress.Parse(address), 0));
        Assert.NotEqual(0, held.EndPoint.Port);

        // Who asks for a port of its own does not get it.
        Assert.True(Ports.IsTaken(held.EndPoint.Port));

        // The one it is for, and again after it has ended.
        for (var run = 0; run < 2; run++)
        {
            using var listener = new TcpListener(held.EndPoint);
            if (held.EndPoint.Address.Equals(IPAddress.IPv6Any))
                listener.Server.DualMode = true;
            listener.Start();
            using var client = new TcpClient(AddressFamily.InterNetwork);
            client.Connect(IPAddress.Loopback, held.EndPoint.Port);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_gateway_can_listen_there(bool isShared)
    {
        using var held = new HeldPort(new IPEndPoint(IPAddress.Loopback, 0));
        using var listener = ClientListener.Bind(held.EndPoint, isShared);
        listener.Listen();
        using var client = new TcpClient();
        client.Connect(held.EndPoint);
    }
}
