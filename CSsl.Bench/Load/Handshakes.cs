using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace CSsl.Bench.Load;

/// <summary>
/// Clients of our own for handshakes: a number of them at once, each with one new connection after another, a full handshake, one GET, and an orderly end.
/// </summary>
/// <remarks>The tools at hand do something else: <c>wrk</c> and <c>h2load</c> resume the session when they reconnect, <c>openssl s_time</c> ends each
/// connection with a reset, <c>h2load</c> at a rate says nothing about a busy server.</remarks>
/// <param name="port">Port on 127.0.0.1.</param>
/// <param name="certificate">The server's certificate in DER: another one is refused.</param>
/// <param name="path">What to get.</param>
/// <param name="bodyBytes">How long it is.</param>
internal sealed class Handshakes(int port, byte[] certificate, string path, int bodyBytes)
{
    private readonly byte[] _request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    private readonly SslClientAuthenticationOptions _tls = new()
    {
        TargetHost = "localhost",
        EnabledSslProtocols = SslProtocols.Tls13,
        CipherSuitesPolicy = OperatingSystem.IsLinux() ? new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256]) : null,
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetRawCertData().AsSpan().SequenceEqual(certificate) ?? false,
    };

    /// <summary>Makes so many connections.</summary>
    /// <exception cref="BenchException">An answer was not the one asked for.</exception>
    public Task RunAsync(int connections, int clients)
    {
        int left = connections;
        return Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            byte[] buffer = new byte[8 * 1024];
            while (Interlocked.Decrement(ref left) >= 0)
                await GetAsync(buffer);
        })));
    }

    /// <summary>A server under a storm may refuse or reset a connection: such a one does not count.</summary>
    public bool ToleratesRefusals { get; init; }

    /// <summary>Makes connections for so long.</summary>
    /// <returns>How many were answered.</returns>
    /// <exception cref="BenchException">An answer was not the one asked for.</exception>
    public async Task<int> RunForAsync(TimeSpan time, int clients)
    {
        int done = 0;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            byte[] buffer = new byte[8 * 1024];
            while (Stopwatch.GetElapsedTime(start) < time)
            {
                try
                {
                    await GetAsync(buffer);
                    if (Stopwatch.GetElapsedTime(start) < time)
                        Interlocked.Increment(ref done);
                }
                catch (Exception e) when (ToleratesRefusals && e is IOException or SocketException or AuthenticationException)
                {
                    // Refused: not one that was answered.
                    await Task.Yield();
                }
            }
        })));
        return done;
    }

    private async Task GetAsync(byte[] buffer)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(_tls);
        await tls.WriteAsync(_request);
        int received = 0;
        for (int read; (read = await tls.ReadAsync(buffer.AsMemory(received))) > 0;)
            received += read;
        if (received < bodyBytes || !buffer.AsSpan().StartsWith("HTTP/1.1 200 "u8))
            throw new BenchException($"the server on port {port} answered {path} with:\n{Encoding.ASCII.GetString(buffer, 0, received)}");
    }
}
