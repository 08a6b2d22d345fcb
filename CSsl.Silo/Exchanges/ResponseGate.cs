using System.Buffers;
using System.IO.Pipelines;

namespace CSsl.Silo.Exchanges;

/// <summary>What a <see cref="ResponseGate"/> tells.</summary>
internal interface IResponseObserver
{
    /// <summary>A head has ended, and is about to be sent. On the application's thread, before what follows is flushed.</summary>
    /// <param name="status">Its status code.</param>
    /// <param name="headEnd">The position behind it.</param>
    void OnHead(int status, long headEnd);

    /// <summary>Something was written that must not reach the client.</summary>
    void OnForbiddenWrite();
}

/// <summary>
/// The application's end of an HTTP/1.1 connection's output. Counts what is sent, finds where a response's head ends, and after a takeover keeps back what the
/// client has already: whole responses, or the head of one whose body goes on.
/// </summary>
/// <remarks>Nothing is copied on the usual way: the memory is the pipe's, and a head is looked at where it lies.</remarks>
internal sealed class ResponseGate(PipeWriter pipe, IResponseObserver observer) : PipeWriter
{
    private const int ScratchLength = 4096;

    private Mode _mode;
    private Mode _after;
    private HeadScanner _scanner;
    private bool _scanning;
    private int _headStatus;
    private long _headEnd;

    // What was lent last; a writer may advance over it in several steps.
    private Memory<byte> _lent;
    private bool _lentIsScratch;
    private byte[]? _scratch;

    private enum Mode
    {
        /// <summary>To the client.</summary>
        Pass,

        /// <summary>The next head is kept back; what follows it is for the client.</summary>
        DropHead,

        /// <summary>Nothing is for the client.</summary>
        Discard,

        /// <summary>Nothing may be written.</summary>
        Forbid,
    }

    /// <summary>Application bytes since the last checkpoint, those that an earlier silo sent included.</summary>
    public long Position { get; private set; }

    public override bool CanGetUnflushedBytes => pipe.CanGetUnflushedBytes;

    public override long UnflushedBytes => pipe.UnflushedBytes;

    /// <summary>A takeover: the client has so many bytes already, and until a request has been judged nothing may follow them.</summary>
    public void Resume(long delivered)
    {
        Position = delivered;
        _mode = Mode.Forbid;
    }

    /// <summary>A response begins: its head is looked for.</summary>
    public void BeginResponse()
    {
        _mode = Mode.Pass;
        Look();
    }

    /// <summary>A response begins whose head the client has: its body goes on.</summary>
    public void BeginWithoutHead()
    {
        _mode = Mode.DropHead;
        _after = Mode.Pass;
        Look();
    }

    /// <summary>A response begins that the client has, and that has no body here. After it nothing may be written, until the next one begins.</summary>
    public void BeginNothing()
    {
        _mode = Mode.DropHead;
        _after = Mode.Forbid;
        Look();
    }

    /// <summary>Nothing may be written until a response begins.</summary>
    public void Forbid() => _mode = Mode.Forbid;

    /// <summary>Nothing reaches the client any more.</summary>
    public void Discard() => _mode = Mode.Discard;

    /// <summary>The client's position is that of a checkpoint.</summary>
    public void Restart() => Position = 0;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        _lentIsScratch = _mode != Mode.Pass;
        return _lent = _lentIsScratch ? Scratch(sizeHint) : pipe.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        var written = _lent[..bytes];
        _lent = _lent[bytes..];
        if (_lentIsScratch)
        {
            TakeScratch(written.Span);
            return;
        }

        if (_scanning)
            Scan(written.Span);
        pipe.Advance(bytes);
        Position += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Tell();
        return pipe.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => pipe.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        Tell();
        pipe.Complete(exception);
    }

    private void Look()
    {
        _scanner = default;
        _scanning = true;
        _headStatus = 0;
    }

    private void Scan(ReadOnlySpan<byte> bytes)
    {
        var position = Position;
        while (_scanning && _scanner.Scan(bytes) is >= 0 and var length)
        {
            position += length;
            (_headStatus, _headEnd) = (_scanner.Status, position);
            bytes = bytes[length..];
            _scanning = IsInformational(_headStatus);
            _scanner = default;
        }
    }

    // What of the scratch is for the client is copied into the pipe.
    private void TakeScratch(ReadOnlySpan<byte> bytes)
    {
        while (_mode == Mode.DropHead && _scanner.Scan(bytes) is >= 0 and var length)
        {
            bytes = bytes[length..];
            if (!IsInformational(_scanner.Status))
                (_mode, _scanning) = (_after, false);
            _scanner = default;
        }

        if (_mode == Mode.Pass && !bytes.IsEmpty)
        {
            if (_scanning)
                Scan(bytes);
            pipe.Write(bytes);
            Position += bytes.Length;
        }
        else if (_mode == Mode.Forbid && !bytes.IsEmpty)
        {
            observer.OnForbiddenWrite();
        }
    }

    private void Tell()
    {
        if (_headStatus == 0)
            return;
        var status = _headStatus;
        _headStatus = 0;
        observer.OnHead(status, _headEnd);
    }

    private Memory<byte> Scratch(int sizeHint)
    {
        if (_scratch is null || _scratch.Length < sizeHint)
            _scratch = new byte[Math.Max(sizeHint, ScratchLength)];
        return _scratch;
    }

    // 101 is the last head of a connection, not one before another.
    private static bool IsInformational(int status) => status is >= 100 and < 200 and not 101;
}
