using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Idle;

/// <summary>A process of its own that holds many connections: a process may open only so many files.</summary>
internal static class IdleCrowd
{
    private const int AtOnce = 32;
    private const int PerAddress = 10_000;
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /bytes/100 HTTP/1.1\r\nHost: localhost\r\n\r\n");

    /// <summary>The command that the process runs.</summary>
    public static Command Command()
    {
        var port = new Option<int>("--port");
        var connections = new Option<int>("--connections");
        var net = new Option<int>("--net");
        var authority = new Option<string>("--authority");
        var command = new Command("idle-crowd", "Holds connections; used by idle.") { port, connections, net, authority };
        command.Hidden = true;
        command.SetAction(parsed => HoldAsync(parsed.GetValue(port), parsed.GetValue(connections), parsed.GetValue(net), parsed.GetValue(authority)!));
        return command;
    }

    /// <summary>Starts a crowd and waits until each of its connections has had an answer.</summary>
    /// <param name="port">HTTPS port on 127.0.0.1.</param>
    /// <param name="connections">How many.</param>
    /// <param name="net">They come from 127.NET.0.0/16.</param>
    /// <param name="authority">File with the certificate that they trust.</param>
    public static async Task<ServerProcess> StartAsync(int port, int connections, int net, string authority)
        => (await ServerProcess.StartAsync("dotnet", [typeof(IdleCrowd).Assembly.Location, "idle-crowd", "--port", $"{port}", "--connections", $"{connections}", "--net", $"{net}", "--authority", authority], "open", deadline: TimeSpan.FromMinutes(10))).Process;

    /// <summary>Has some of them make another request, one after the other; milliseconds from request to first byte of the answer.</summary>
    public static async Task<IEnumerable<double>> WakeAsync(ServerProcess crowd, int count)
    {
        string line = await crowd.AskAsync($"{count}", "woke ");
        return line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static wait => double.Parse(wait, CultureInfo.InvariantCulture));
    }

    private static async Task<int> HoldAsync(int port, int connections, int net, string authority)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(authority);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck };
        var streams = new SslStream[connections];
        await Parallel.ForAsync(0, connections, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, cancellation) =>
        {
            streams[i] = await OpenAsync(port, new IPAddress([127, (byte)(net + 1), 0, (byte)(1 + i / PerAddress)]), trust, cancellation);
            await ExchangeAsync(streams[i]);
        });
        Console.WriteLine("open");

        int next = 0;
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var waits = new List<double>();
            for (int i = int.Parse(line, CultureInfo.InvariantCulture); i > 0; i--)
            {
                // Spread over all of them.
                next = (next + 7919) % connections;
                waits.Add(await ExchangeAsync(streams[next]));
            }

            Console.WriteLine("woke " + string.Join(' ', waits.Select(static wait => wait.ToString("0.000", CultureInfo.InvariantCulture))));
        }

        return 0;
    }

    private static async Task<SslStream> OpenAsync(int port, IPAddress from, X509ChainPolicy trust, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = trust }, cancellation);
        return tls;
    }

    /// <summary>One request; milliseconds to the first byte of the answer, which is read in full.</summary>
    private static async Task<double> ExchangeAsync(SslStream tls)
    {
        byte[] buffer = new byte[4096];
        long start = Stopwatch.GetTimestamp();
        await tls.WriteAsync(Request);
        int read = await tls.ReadAsync(buffer);
        double wait = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        int got = read;
        while (read > 0 && !IsWhole(buffer.AsSpan(0, got)))
            got += read = await tls.ReadAsync(buffer.AsMemory(got));
        return read > 0 ? wait : throw new BenchException("a connection was closed");
    }

    private static bool IsWhole(ReadOnlySpan<byte> response)
        => response.StartsWith("HTTP/1.1 200"u8)
            ? response.IndexOf("\r\n\r\n"u8) is >= 0 and var end && response.Length == end + 4 + 100
            : throw new BenchException($"an answer began with {Encoding.ASCII.GetString(response[..Math.Min(40, response.Length)])}");
}
