using System.Net;
using System.Net.Sockets;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Tests.Tls.Handshake.OpenSsl;

/// <summary>What a session was, once its connection is over.</summary>
internal sealed record EchoedSession(
    TlsVersion Version, CipherSuite CipherSuite, bool Resumed, bool EncryptThenMac, int FragmentLimit, string? ApplicationProtocol);

/// <summary>Shakes hands with one client after another and sends back what they send.</summary>
internal sealed class EchoServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public EchoServer() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Serves the next client that connects, to the end of its connection.</summary>
    public async Task<EchoedSession> ServeAsync(IServerHandshakeFactory factory)
    {
        using var socket = await _listener.AcceptSocketAsync();
        await using var stream = new NetworkStream(socket);
        return await ServeAsync(stream, factory);
    }

    /// <summary>Serves a client, to the end of its connection.</summary>
    public static async Task<EchoedSession> ServeAsync(Stream stream, IServerHandshakeFactory factory)
    {
        var driver = new ServerDriver(stream);
        var session = await driver.HandshakeAsync(factory);
        var echoed = new EchoedSession(
            session.Version, session.CipherSuite, session.Resumed, session.EncryptThenMac, session.FragmentLimit, session.ApplicationProtocol);
        using var data = new DataPhase(Reseal(session));

        var buffer = new byte[40 * 1024];
        while (await driver.ReadRecordAsync() is { } record)
        {
            var status = data.Read(record.Span, buffer, out var written);
            if (status == ReadStatus.CloseNotify)
                break;
            if (data.HasPending)
                await stream.WriteAsync(buffer.AsMemory(written, data.WritePending(buffer.AsSpan(written))));
            for (var sent = 0; sent < written;)
                sent += await SealAsync(stream, data, buffer.AsMemory(sent, Math.Min(written - sent, data.Writer.MaxPlaintext)));
        }

        await stream.WriteAsync(buffer.AsMemory(0, data.WriteAlert(AlertDescription.CloseNotify, buffer)));
        return echoed;
    }

    public void Dispose() => _listener.Dispose();

    private static async Task<int> SealAsync(Stream stream, DataPhase data, ReadOnlyMemory<byte> plaintext)
    {
        var record = new byte[data.Writer.SealedLength(plaintext.Length)];
        plaintext.CopyTo(record.AsMemory(data.Writer.PrefixLength));
        data.Writer.Seal(ContentType.ApplicationData, record, plaintext.Length);
        await stream.WriteAsync(record);
        return plaintext.Length;
    }

    /// <summary>From the handshake silo to the data silo.</summary>
    private static ExportedSession Reseal(ExportedSession session)
    {
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("echo"))));
        var id = Guid.NewGuid();
        return sealer.Open(sealer.Seal(session, id), id);
    }
}
