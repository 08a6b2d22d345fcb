using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace CSsl.Tests.Support;

/// <summary>A client's TCP connection without the TCP: the server's side is a <see cref="ConnectionContext"/> like Kestrel's, the client's side are methods.</summary>
internal sealed class MemoryConnection : ConnectionContext
{
    /// <summary>Bytes that wait for the client outside of the server's memory, as in a socket's send buffer.</summary>
    public const int KernelBuffer = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // As the gateway sets up its sockets: a bounded input, and an output whose flush ends when all of it is taken.
    private readonly Pipe _input = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false));
    private readonly Pipe _output = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false));
    private readonly Pipe _kernel = new(new PipeOptions(pauseWriterThreshold: KernelBuffer, resumeWriterThreshold: KernelBuffer / 2, useSynchronizationContext: false));
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<string> _reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isLost;

    public MemoryConnection()
    {
        Transport = new DuplexPipe(_input.Reader, _output.Writer);
        _ = SendAllAsync();
    }

    public override string ConnectionId { get; set; } = "memory";

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; } = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 50000);

    public override EndPoint? LocalEndPoint { get; set; } = new IPEndPoint(IPAddress.Loopback, 8443);

    /// <summary>Why the server reset the connection.</summary>
    public Task<string> Reset => _reset.Task.WaitAsync(Patience);

    public bool IsReset => _reset.Task.IsCompleted;

    /// <summary>The client sends, and waits until there is room for it.</summary>
    public async Task SendAsync(params byte[] bytes) => await _input.Writer.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    /// <summary>The client sends a part and does not wait for the server to take it; true when there was room.</summary>
    public bool TrySend(byte[] bytes) => _input.Writer.WriteAsync(bytes).AsTask().IsCompleted;

    /// <summary>The client sends FIN.</summary>
    public void SendFin() => _input.Writer.Complete();

    /// <summary>The client sends RST.</summary>
    public void SendReset()
    {
        _input.Writer.Complete(new ConnectionResetException("reset by the test"));
        _output.Reader.CancelPendingRead();
        _kernel.Reader.Complete();
    }

    /// <summary>The client reads so many bytes.</summary>
    public async Task<byte[]> ReadAsync(int length)
    {
        var result = await _kernel.Reader.ReadAtLeastAsync(length).AsTask().WaitAsync(Patience);
        if (result.Buffer.Length < length)
            throw new InvalidOperationException($"The server closed after {result.Buffer.Length} of {length} bytes.");

        return Take(result.Buffer.Slice(0, length));
    }

    /// <summary>The client reads what is there, once there is something; empty after FIN and after a reset, which may lose bytes as a real one may.</summary>
    public async Task<byte[]> ReadSomeAsync()
    {
        try
        {
            var reading = _kernel.Reader.ReadAsync().AsTask();
            await Task.WhenAny(reading, _reset.Task).WaitAsync(Patience);
            if (IsReset && !reading.IsCompleted)
                return [];

            return Take((await reading).Buffer);
        }
        catch (InvalidOperationException) when (IsReset)
        {
            return [];
        }
    }

    /// <summary>The client reads to the server's FIN.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        await _kernel.Reader.CopyToAsync(all).WaitAsync(Patience);
        return all.ToArray();
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (!_reset.TrySetResult(abortReason.Message))
            return;

        _input.Writer.Complete(abortReason);
        _output.Reader.CancelPendingRead();
        lock (_gate)
        {
            _isLost = true;
            _kernel.Reader.Complete();
        }
    }

    // A reset gives the memory back, also while the client reads.
    private byte[] Take(ReadOnlySequence<byte> buffer)
    {
        lock (_gate)
        {
            if (_isLost)
                throw new InvalidOperationException("The server reset the connection.");
            var bytes = buffer.ToArray();
            _kernel.Reader.AdvanceTo(buffer.End);
            return bytes;
        }
    }

    /// <summary>The kernel's part: takes from the server what there is room for.</summary>
    private async Task SendAllAsync()
    {
        while (true)
        {
            var result = await _output.Reader.ReadAsync();
            if (result.IsCanceled)
                break;

            var isTaken = true;
            foreach (var segment in result.Buffer)
                isTaken = isTaken && !(await _kernel.Writer.WriteAsync(segment)).IsCompleted;
            _output.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted || !isTaken)
                break;
        }

        await _output.Reader.CompleteAsync();
        await _kernel.Writer.CompleteAsync();
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
