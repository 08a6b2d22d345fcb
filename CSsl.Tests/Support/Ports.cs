using System.Net;
using System.Net.Sockets;

namespace CSsl.Tests.Support;

/// <summary>Ports on 127.0.0.1 that nobody listens on.</summary>
/// <remarks>
/// Below those that Linux gives to whoever names none (ip_local_port_range, from 32768): otherwise a process that is started first may get, for port 0
/// or for a connection of its own, the port that one that is started later was told. The first is random, so that test runs side by side don't meet.
/// </remarks>
internal static class Ports
{
    private const int First = 12_000, Count = 20_000;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Different free ports, for a program that must be told its ports beforehand. No port is given twice.</summary>
    public static int[] Free(int count) => [.. Enumerable.Range(0, count).Select(static _ => Next())];

    private static int Next()
    {
        for (int tries = 0; tries < Count; tries++)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            if (IsFree(port))
                return port;
        }

        throw new InvalidOperationException($"none of the ports from {First} to {First + Count - 1} is free");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
