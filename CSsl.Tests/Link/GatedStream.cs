using System.Threading.Channels;
using CSsl.Link;
using CSsl.Silo.Proxy;

namespace CSsl.Tests.Link;

/// <summary>A transport whose writes a test can hold back, one by one; each write of frames is noted when it begins.</summary>
internal sealed class GatedStream(Stream inner) : WrappedStream(inner)
{
    private readonly Channel<IReadOnlyList<Frame>> _begun = Channel.CreateUnbounded<IReadOnlyList<Frame>>();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _held;
    private bool _broken;
    private bool _closed;

    /// <summary>Opens what is written; set when both ends are proven.</summary>
    public LinkCipher? Opening { get; set; }

    /// <summary>From here on a write waits for <see cref="ReleaseOne"/> or <see cref="Open"/>; what was noted before is forgotten.</summary>
    public void Hold()
    {
        lock (_gate)
            _held = NewWait();
        while (_begun.Reader.TryRead(out _))
        {
        }
    }

    /// <summary>Lets the write that waits go on; the next one waits again.</summary>
    public void ReleaseOne()
    {
        TaskCompletionSource held;
        lock (_gate)
        {
            held = _held!;
            _held = NewWait();
        }

        held.TrySetResult();
    }

    /// <summary>From here on writes fail, while reads go on.</summary>
    public void Break()
    {
        lock (_gate)
            _broken = true;
    }

    public void Open()
    {
        TaskCompletionSource? held;
        lock (_gate)
            (held, _held) = (_held, null);
        held?.TrySetResult();
    }

    /// <summary>The frames of the next write that begins.</summary>
    public async Task<IReadOnlyList<Frame>> NextWriteAsync() => await _begun.Reader.ReadAsync().AsTask().WaitAsync(TestLinks.Patience);

    /// <summary>The next write that is not of the link's own frames only.</summary>
    public async Task<IReadOnlyList<Frame>> NextChannelWriteAsync()
    {
        while (true)
        {
            var frames = await NextWriteAsync();
            if (frames.Any(f => f.Channel != 0))
                return [.. frames.Where(f => f.Channel != 0)];
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Task? wait;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_broken)
                throw new IOException("broken");
            if (Opening is not null)
                _begun.Writer.TryWrite(Batches.Open(Opening, buffer.Span));
            wait = _held?.Task;
        }

        if (wait is not null)
            await wait;
        await Inner.WriteAsync(buffer, cancellationToken);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        TaskCompletionSource? held;
        lock (_gate)
        {
            _closed = true;
            held = _held;
        }

        base.Dispose(disposing);
        held?.TrySetException(new ObjectDisposedException(nameof(GatedStream)));
    }

    private static TaskCompletionSource NewWait() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
