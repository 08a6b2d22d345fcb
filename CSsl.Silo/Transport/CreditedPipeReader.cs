using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace CSsl.Silo.Transport;

/// <summary>The application's end of an input pipe: says how many bytes the application has consumed, so that the peer may send as many more, and when it waits.</summary>
/// <remarks>Adds no allocation to a read that waits: it is its own <see cref="IValueTaskSource{TResult}"/> around the pipe's, one read at a time as in any pipe.</remarks>
internal sealed class CreditedPipeReader : PipeReader, IValueTaskSource<ReadResult>
{
    private readonly PipeReader _inner;
    private readonly Action<int> _consumed;
    private readonly Action _waits;
    private readonly Action _wake;
    private ReadResult _current;
    private ValueTask<ReadResult> _pending;
    private Action<object?>? _continuation;
    private object? _continuationState;
    private short _token;
    private volatile bool _isWaiting;

    /// <param name="inner">The pipe's reader.</param>
    /// <param name="consumed">Called after every read that consumed something, with the number of bytes.</param>
    /// <param name="waits">Called after every read that has to wait, once <see cref="IsWaiting"/> says so.</param>
    public CreditedPipeReader(PipeReader inner, Action<int> consumed, Action waits)
    {
        _inner = inner;
        _consumed = consumed;
        _waits = waits;
        _wake = Wake;
    }

    /// <summary>True while the application waits for input: it has done everything that it is going to do without. Any thread may ask.</summary>
    public bool IsWaiting => _isWaiting;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = _inner.ReadAsync(cancellationToken);
        if (read.IsCompletedSuccessfully)
        {
            _current = read.Result;
            return new ValueTask<ReadResult>(_current);
        }

        _pending = read;
        var token = ++_token;
        _isWaiting = true;
        _waits();
        return new ValueTask<ReadResult>(this, token);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!_inner.TryRead(out result))
            return false;
        _current = result;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var buffer = _current.Buffer;
        var bytes = buffer.IsEmpty ? 0 : buffer.Slice(0, consumed).Length;
        _current = default;
        _inner.AdvanceTo(consumed, examined);
        if (bytes > 0)
            _consumed((int)bytes);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        _current = default;
        _inner.Complete(exception);
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        Check(token);
        var pending = _pending;
        _isWaiting = false;
        _pending = default;
        return _current = pending.GetAwaiter().GetResult();
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token)
    {
        Check(token);
        return !_pending.IsCompleted ? ValueTaskSourceStatus.Pending
            : _pending.IsCompletedSuccessfully ? ValueTaskSourceStatus.Succeeded
            : _pending.IsCanceled ? ValueTaskSourceStatus.Canceled
            : ValueTaskSourceStatus.Faulted;
    }

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        _continuation = continuation;
        _continuationState = state;

        // There is no scheduling context in a silo; the execution context does matter to whoever uses OnCompleted itself.
        var awaiter = _pending.ConfigureAwait(false).GetAwaiter();
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0)
            awaiter.OnCompleted(_wake);
        else
            awaiter.UnsafeOnCompleted(_wake);
    }

    private void Wake()
    {
        var continuation = _continuation!;
        var state = _continuationState;
        _continuation = null;
        _continuationState = null;
        continuation(state);
    }

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A read is awaited once.");
    }
}
