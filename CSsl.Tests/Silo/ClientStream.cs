using System.IO.Pipelines;

namespace CSsl.Tests.Silo;

/// <summary>A client's TCP connection in memory; the gateway's end of it are the pipes.</summary>
internal sealed class ClientStream : Stream
{
    private readonly Pipe _toGateway = new();
    private readonly Pipe _toClient = new();
    private readonly Stream _input;
    private readonly Stream _output;

    public ClientStream()
    {
        _input = _toClient.Reader.AsStream();
        _output = _toGateway.Writer.AsStream();
    }

    /// <summary>What the client sent. Its end is a FIN; an error is a reset.</summary>
    public PipeReader FromClient => _toGateway.Reader;

    /// <summary>What the client gets. Completing it is a FIN, with an error a reset.</summary>
    public PipeWriter ToClient => _toClient.Writer;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The client sends a FIN and goes on reading.</summary>
    public void ShutdownSend() => _output.Dispose();

    /// <summary>The client resets the connection.</summary>
    public void Reset() => _toGateway.Writer.Complete(new IOException("connection reset by the client"));

    public override void Flush() => _output.Flush();
    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);
    public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _input.ReadAsync(buffer, cancellationToken);
    public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _output.WriteAsync(buffer, cancellationToken);
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _input.Dispose();
        _output.Dispose();
        base.Dispose(disposing);
    }
}
