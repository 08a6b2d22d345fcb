using System.Net;
using System.Net.Sockets;

namespace CSsl.Tests.Support;

/// <summary>Ports on 127.0.0.1 that nobody listens on.</summary>
internal static class Ports
{
    /// <summary>Different free ports, for a program that must be told its ports beforehand.</summary>
    public static int[] Free(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        try
        {
            foreach (TcpListener listener in listeners)
                listener.Start();
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (TcpListener listener in listeners)
                listener.Dispose();
        }
    }
}
