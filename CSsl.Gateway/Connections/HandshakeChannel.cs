using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using CSsl.Gateway.Links;
using CSsl.Link;
using CSsl.Tls.Handshake;

namespace CSsl.Gateway.Connections;

/// <summary>One handshake at one silo, in lock-step: records out, the answer back, and only then the next.</summary>
/// <param name="output">The client's pipe: the silo's records go there on the link's read loop, while the connection waits for the answer.</param>
/// <param name="whenLost">Called when the silo is lost while nobody waits for its answer.</param>
internal sealed class HandshakeChannel(PipeWriter output, Action whenLost) : LinkChannel, IValueTaskSource<HandshakeReply>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<HandshakeReply> _reply;
    private HandshakeReply? _ended;
    private bool _isOpen;
    private bool _waiting;
    private bool _isEndedBySilo;

    /// <summary>True once the client was given bytes of this handshake: it can't start over at another silo.</summary>
    public bool HasDelivered { get; private set; }

    /// <summary>True once nothing more can come of it.</summary>
    public bool IsEnded
    {
        get
        {
            lock (_gate)
                return _ended is not null;
        }
    }

    /// <summary>Opens the channel with the first records, together, and waits for the answer.</summary>
    public ValueTask<HandshakeReply> OpenAsync(SiloLink silo, ReadOnlySpan<byte> start, in ReadOnlySequence<byte> records)
    {
        _isOpen = silo.TryOpen(this, FrameKind.HandshakeStart, start);
        return _isOpen ? ExchangeAsync(records) : ValueTask.FromResult(new HandshakeReply(HandshakeOutcome.Lost));
    }

    /// <summary>Sends whole records and waits for the answer. The caller flushes what the answer wrote. One at a time.</summary>
    public ValueTask<HandshakeReply> ExchangeAsync(in ReadOnlySequence<byte> records)
    {
        lock (_gate)
        {
            _reply.Reset();
            if (_ended is { } ended)
                return ValueTask.FromResult(ended);

            _waiting = true;
        }

        if (records.IsSingleSegment)
            Send(FrameKind.Handshake, records.FirstSpan);
        else
            SendCopy(records);
        return new ValueTask<HandshakeReply>(this, _reply.Version);
    }

    /// <summary>Ends the exchange under way, if there is one, and all later ones. From any thread.</summary>
    public void Interrupt() => End(new HandshakeReply(HandshakeOutcome.Interrupted));

    /// <summary>Forgets the channel, and tells the silo unless it has ended it itself.</summary>
    public void Close()
    {
        if (!_isOpen)
            return;
        if (!_isEndedBySilo)
            Send(FrameKind.Close, [(byte)CloseReason.ClientGone]);
        Release();
    }

    /// <inheritdoc/>
    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Flight:
                var flight = Flight.Decode(payload);
                var outcome = flight.Failure == HandshakeFailure.None ? HandshakeOutcome.Continue : HandshakeOutcome.Failed;
                Answer(new HandshakeReply(outcome, flight.Consumed, flight.Records.Length, flight.Failure, flight.Detail), flight.Records);
                break;
            case FrameKind.Established:
                var established = Established.Decode(payload);
                _isEndedBySilo = true;
                Answer(new HandshakeReply(HandshakeOutcome.Established, established.Consumed, established.Records.Length, Established: established with { Records = default }), established.Records.Span);
                break;
            case FrameKind.Close:
                _isEndedBySilo = true;
                End(new HandshakeReply(HandshakeOutcome.Lost));
                break;
            default:
                throw new LinkException($"A frame of kind {kind} in a handshake.");
        }
    }

    /// <inheritdoc/>
    protected override void OnLinkLost(Exception reason) => End(new HandshakeReply(HandshakeOutcome.Lost));

    /// <summary>The pipe is ours to write as long as somebody waits: once <see cref="_waiting"/> is taken, the connection goes on.</summary>
    private void Answer(in HandshakeReply reply, ReadOnlySpan<byte> records)
    {
        lock (_gate)
        {
            if (!_waiting)
            {
                if (_ended is null)
                    throw new LinkException("An answer to nothing.");
                return;
            }

            output.Write(records);
            HasDelivered |= !records.IsEmpty;
            _waiting = false;
        }

        _reply.SetResult(reply);
    }

    private void End(in HandshakeReply reply)
    {
        bool isAwaited;
        lock (_gate)
        {
            _ended ??= reply;
            isAwaited = _waiting;
            _waiting = false;
        }

        if (isAwaited)
            _reply.SetResult(reply);
        else
            whenLost();
    }

    private void SendCopy(in ReadOnlySequence<byte> records)
    {
        var length = (int)records.Length;
        var copy = ArrayPool<byte>.Shared.Rent(length);
        records.CopyTo(copy);
        Send(FrameKind.Handshake, copy.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(copy);
    }

    HandshakeReply IValueTaskSource<HandshakeReply>.GetResult(short token) => _reply.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<HandshakeReply>.GetStatus(short token) => _reply.GetStatus(token);

    void IValueTaskSource<HandshakeReply>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _reply.OnCompleted(continuation, state, token, flags);
}
