using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Tls.Records;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// The client's records on their way to one silo after the other: read from the client's pipe, copied into the link's send buffer when it is the
/// channel's turn. Back-pressure: without a turn nothing is read, the pipe fills up, and the client's TCP window closes. No allocation per record.
/// Without a channel one record waits here; while there is none, the pipe holds no buffer.
/// </summary>
internal sealed class ClientUpstream(VirtualConnection owner, ConnectionEntry entry, PipeReader input, ReplayBuffer replay, CloseNotifyWatch closeNotify, int maxLength, GatewayMeters meters) : IValueTaskSource<bool>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _turn;

    // Guarded by the gate: the replay buffer, and the pipe's memory from BeginTurn until the turn's end.
    private DataChannel? _channel;
    private ReadOnlySequence<byte> _pending;
    private bool _isWaiting;
    private bool _isStopped;
    private bool _isEnded;
    private bool _isAtRest;
    private int _taken;

    /// <summary>The client has sent a record, and no silo has got it.</summary>
    public bool HasRecord => Volatile.Read(ref _isWaiting);

    /// <summary>The client will send nothing more.</summary>
    public bool HasEnded => Volatile.Read(ref _isEnded);

    /// <summary>Pumps until the client's last byte, its first error, or <see cref="Stop"/>.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var result = await input.ReadAsync();
                var buffer = result.Buffer;
                var status = RecordRun.Find(buffer, ConnectionPhase.Data, maxLength, maxCount: 0).Next;
                if (status == RecordStatus.NeedMore || (Volatile.Read(ref _isAtRest) && MayBeCloseNotify(buffer)))
                {
                    // Of a record that the client did not finish the silo could make nothing.
                    input.AdvanceTo(buffer.Start, buffer.End);
                    if (result.IsCompleted)
                        EndInput();
                    if (result.IsCompleted || Volatile.Read(ref _isStopped))
                        return;
                    continue;
                }

                // What is no record has no alert of ours: keys are in use. The silo gets the bad header, finds the same, and seals the alert.
                var isRecord = status == RecordStatus.Complete;
                if (!BeginTurn(isRecord ? buffer : buffer.Slice(0, Math.Min(RecordHeader.Size, buffer.Length)), out var turn))
                {
                    input.AdvanceTo(buffer.Start);
                    return;
                }

                var isTaken = await turn;
                input.AdvanceTo(buffer.GetPosition(_taken));
                if (!isTaken || !isRecord)
                    return;
            }
        }
        catch (Exception e)
        {
            // However the pump ends, the connection must not wait for it.
            owner.End(ClientSocket.IsGone(e) ? DataOutcome.ClientGone : DataOutcome.Failed);
            if (!ClientSocket.IsGone(e))
                throw;
        }
    }

    /// <summary>The channel gets what is kept, what waits, and what comes. Once it is open.</summary>
    public void Open(DataChannel channel)
    {
        bool hasRecords;
        bool isEnd;
        bool isHeld;
        lock (_gate)
        {
            _channel = channel;
            _isAtRest = false;
            isHeld = closeNotify.Forget();
            hasRecords = replay.IsReplaying || _isWaiting;
            isEnd = _isEnded && !hasRecords;
        }

        if (hasRecords)
            channel.RequestUpstreamTurn();
        if (isEnd)
            channel.SendEof();
        if (isHeld)
            input.CancelPendingRead();
    }

    /// <summary>Nothing is under way until a channel is open: what the client sends next may be close_notify, and that wakes nobody.</summary>
    public void Rest()
    {
        lock (_gate)
            _isAtRest = true;
    }

    /// <summary>The channel gets nothing more.</summary>
    public void Close(DataChannel channel)
    {
        lock (_gate)
        {
            if (_channel == channel)
                _channel = null;
        }
    }

    /// <summary>The channel gets nothing more, if all that it was given since the last checkpoint is kept for the next silo.</summary>
    public bool TryCloseReplayable(DataChannel channel)
    {
        lock (_gate)
        {
            if (_channel != channel || !replay.IsReplayable)
                return false;
            _channel = null;
            return true;
        }
    }

    /// <summary>The next silo gets the records that are kept.</summary>
    public void Rewind()
    {
        lock (_gate)
            replay.Rewind();
    }

    /// <summary>What the next silo is told about the client's half.</summary>
    public T Read<T>(Func<ReplayBuffer, T> read)
    {
        lock (_gate)
            return read(replay);
    }

    /// <summary>The silo has consumed every record before <paramref name="record"/>; false when it can't have.</summary>
    public bool TryRelease(ulong record)
    {
        lock (_gate)
            return replay.TryRelease(record);
    }

    /// <summary>The channel's turn: as many whole records as the room takes.</summary>
    public int Fill(DataChannel channel, Span<byte> room)
    {
        int bytes;
        var isAgain = false;
        var isEnd = false;
        var isTaken = false;
        lock (_gate)
        {
            if (_channel != channel)
                return 0;

            if (replay.IsReplaying)
            {
                bytes = replay.CopyNext(room);
                isAgain = replay.IsReplaying || _isWaiting;
                isEnd = _isEnded && !isAgain;
            }
            else if (_isWaiting)
            {
                bytes = Take(channel, room);
                _isWaiting = false;
                isTaken = true;
            }
            else
            {
                return 0;
            }
        }

        if (isAgain)
            channel.RequestUpstreamTurn();
        if (isEnd)
            channel.SendEof();
        if (isTaken)
            _turn.SetResult(true);
        return bytes;
    }

    /// <summary>Ends the pump; what the client sent and nobody took stays in its pipe.</summary>
    public void Stop()
    {
        bool wasWaiting;
        lock (_gate)
        {
            _isStopped = true;
            wasWaiting = _isWaiting;
            _isWaiting = false;
            _channel = null;
            _isAtRest = false;
            closeNotify.Forget();
            replay.Clear();
        }

        if (wasWaiting)
            _turn.SetResult(false);
        else
            input.CancelPendingRead();
    }

    // Behind the gate: a channel that opens finds what is held back.
    private bool MayBeCloseNotify(in ReadOnlySequence<byte> unread)
    {
        lock (_gate)
            return _isAtRest && closeNotify.MayBeCloseNotify(unread);
    }

    private void EndInput()
    {
        DataChannel? channel;
        lock (_gate)
        {
            _isEnded = true;
            channel = replay.IsReplaying ? null : _channel;
        }

        channel?.SendEof();
        owner.Wake();
    }

    private bool BeginTurn(in ReadOnlySequence<byte> pending, out ValueTask<bool> turn)
    {
        DataChannel? channel;
        lock (_gate)
        {
            turn = default;
            if (_isStopped)
                return false;

            _turn.Reset();
            _pending = pending;
            _taken = 0;
            _isWaiting = true;
            turn = new ValueTask<bool>(this, _turn.Version);
            channel = _channel;
        }

        if (channel is not null)
            channel.RequestUpstreamTurn();
        else
            owner.Wake();
        return true;
    }

    private int Take(DataChannel channel, Span<byte> room)
    {
        var run = RecordRun.Find(_pending, ConnectionPhase.Data, maxLength, room.Length);
        if (run.Bytes == 0)
            run = new RecordRun((int)_pending.Length, 1, run.Next);
        var records = _pending.Slice(0, run.Bytes);
        records.CopyTo(room);
        replay.Append(records, run.Count, channel.Untaken);
        _pending = default;
        _taken = run.Bytes;
        meters.CountFromClient(run.Count, run.Bytes);
        owner.Touch();
        entry.CountFromClient(run.Bytes);
        return run.Bytes;
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _turn.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _turn.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _turn.OnCompleted(continuation, state, token, flags);
}
