using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CSsl.Tests.Support;

/// <summary>Ports on 127.0.0.1 that nobody listens on.</summary>
/// <remarks>
/// Below those that Linux gives to whoever names none (ip_local_port_range, from 32768): otherwise a process that is started first may get, for port 0
/// or for a connection of its own, the port that one that is started later was told. The first is random, so that test runs side by side don't meet.
/// </remarks>
internal static partial class Ports
{
    private const int First = 12_000, Count = 20_000;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Different free ports, for a program that must be told its ports beforehand. No port is given twice.</summary>
    public static int[] Free(int count) => [.. Enumerable.Range(0, count).Select(static _ => Next())];

    /// <summary>True when the kernel would not give the port of 127.0.0.1 to whoever does not share it: to whoever asks for any port, for one.</summary>
    /// <remarks>Through libc: .NET sets SO_REUSEADDR on every TCP socket that it binds.</remarks>
    public static bool IsTaken(int port)
    {
        const int InterNetwork = 2, Stream = 1;
        int socket = OpenSocket(InterNetwork, Stream, 0);

        // struct sockaddr_in: family (of the host's byte order), port and address of the network's, eight bytes of nothing.
        byte[] address = [InterNetwork, 0, (byte)(port >> 8), (byte)port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        int result = Bind(socket, address, address.Length);
        _ = Close(socket);
        return result != 0;
    }

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind")]
    private static partial int Bind(int socket, byte[] address, int length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

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
