using System.Net;
using System.Net.Sockets;

namespace CSsl.Tests.Link;

/// <summary>A connected pair of real sockets.</summary>
internal static class Tcp
{
    public static async Task<(Stream One, Stream Other)> PairAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accepting = listener.AcceptAsync();
        await one.ConnectAsync(listener.LocalEndPoint!);
        var other = await accepting;
        other.NoDelay = true;
        return (new NetworkStream(one, ownsSocket: true), new NetworkStream(other, ownsSocket: true));
    }
}
