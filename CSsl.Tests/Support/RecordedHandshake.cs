using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace CSsl.Tests.Support;

/// <summary>What a real client (OpenSSL, through SslStream) sent in a handshake and its first request, byte for byte.</summary>
internal static class RecordedHandshake
{
    /// <summary>All that a client sent to the cluster: one whole handshake and a GET.</summary>
    public static async Task<byte[]> RecordAsync(Cluster cluster, SslProtocols version)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", cluster.Port);
        using var recorder = new RecordingStream(client.GetStream());
        await using var tls = new SslStream(recorder);
        SslClientAuthenticationOptions options = Web.Trusting(cluster);
        options.EnabledSslProtocols = version;
        await tls.AuthenticateAsClientAsync(options);
        await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes(SClient.Get("/")));
        await tls.CopyToAsync(Stream.Null);
        return recorder.Written.ToArray();
    }

    /// <summary>The record of its ClientHello.</summary>
    public static async Task<byte[]> ClientHelloAsync(Cluster cluster)
    {
        byte[] all = await RecordAsync(cluster, SslProtocols.Tls13);
        return all[..(5 + (all[3] << 8) + all[4])];
    }

    private sealed class RecordingStream(Stream inner) : Stream
    {
        public MemoryStream Written { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count)
        {
            Written.Write(buffer, offset, count);
            inner.Write(buffer, offset, count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written.Write(buffer.Span);
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
