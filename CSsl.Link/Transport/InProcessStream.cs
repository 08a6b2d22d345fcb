using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace CSsl.Link;

/// <summary>One end of a duplex connection in memory: two pipes, each with bounded content. Closing an end ends what is pending at both, as a socket does.</summary>
internal sealed class InProcessStream : Stream
{
    // As much as a busy loopback socket holds.
    private const int PauseAt = 512 * 1024;

    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private Direction _reading;
    private Direction _writing;

    private InProcessStream(PipeReader input, PipeWriter output) => (_input, _output) = (input, output);

    /// <summary>The two ends. Continuations run on the thread pool: neither end's work is done on the other's stack.</summary>
    public static (Stream One, Stream Other) CreatePair()
    {
        var options = new PipeOptions(pauseWriterThreshold: PauseAt, resumeWriterThreshold: PauseAt / 2, minimumSegmentSize: 64 * 1024, useSynchronizationContext: false);
        var there = new Pipe(options);
        var back = new Pipe(options);
        return (new InProcessStream(back.Reader, there.Writer), new InProcessStream(there.Reader, back.Writer));
    }

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(!_reading.TryBegin(), this);
        try
        {
            var result = await _input.ReadAsync(cancellationToken);
            ObjectDisposedException.ThrowIf(result.IsCanceled, this);
            var taken = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, buffer.Length));
            taken.CopyTo(buffer.Span);

            // Before the advance: it gives the segments back, and the sequence means nothing any more.
            var length = (int)taken.Length;
            _input.AdvanceTo(taken.End);
            return length;
        }
        finally
        {
            if (_reading.EndAndIsClosed())
                _input.Complete();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(!_writing.TryBegin(), this);
        try
        {
            var result = await _output.WriteAsync(buffer, cancellationToken);
            ObjectDisposedException.ThrowIf(result.IsCanceled, this);
            if (result.IsCompleted)
                throw new IOException("The other end is closed.");
        }
        finally
        {
            if (_writing.EndAndIsClosed())
                _output.Complete();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_reading.CloseAndIsIdle())
            _input.Complete();
        else
            _input.CancelPendingRead();
        if (_writing.CloseAndIsIdle())
            _output.Complete();
        else
            _output.CancelPendingFlush();
        base.Dispose(disposing);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>One direction's state. A pipe's end must not be completed while an operation on it is under way: then the operation completes it.</summary>
    private struct Direction
    {
        private const int Busy = 1;
        private const int Closed = 2;

        private int _state;

        /// <summary>False: closed. One operation at a time.</summary>
        public bool TryBegin()
        {
            var state = Interlocked.CompareExchange(ref _state, Busy, 0);
            return (state & Busy) == 0 ? state == 0 : throw new InvalidOperationException("An operation of this direction is under way.");
        }

        public bool EndAndIsClosed() => Interlocked.And(ref _state, ~Busy) == (Busy | Closed);

        public bool CloseAndIsIdle() => Interlocked.Or(ref _state, Closed) == 0;
    }
}
