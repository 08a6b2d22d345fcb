using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Link;

/// <summary>
/// Sends for all. Callers queue control frames and turns under a short lock; whoever finds no sender at work becomes it, gathers
/// what all have queued into one buffer and writes it with one call. No thread and no timer of its own.
/// </summary>
/// <remarks>
/// <para>One role, one lock. <see cref="_sending"/> says that the role of sender is taken; with it go the active buffer, the transport and
/// the right to call Fill. The role passes from a caller to the continuation of its pending write, or to the thread pool after a stretch of
/// batches, so that nobody works for the others for ever. The lock is never held while Fill or the transport is called; it is held, and
/// entered again, by <see cref="DataLink.Lose"/>, which calls nobody.</para>
/// <para>No wake-up is lost: work is queued and the role of sender is taken, and given back, under the same lock
/// (<see cref="_gate"/>). Whoever queues either takes the role, or there is a sender who looks again before it gives the role back, or it is
/// the corked read loop, which looks when it uncorks.</para>
/// <para>No recursion: the role is held while Fill and the write's continuation run, so what they queue is only queued.</para>
/// <para>Order: a batch is [control frames queued before the snapshot][turns][control frames queued meanwhile]. So a frame that is queued
/// after the snapshot goes behind the turns of its batch, and from then on its channel has no turn in it. The channels that were ready at the
/// snapshot are served once; while nothing else is queued, those that became ready since are too, until the batch is full.</para>
/// <para>Records are laid out in their turns and sealed together when the turns of a batch are over, by one call of the process's engine; whoever
/// runs it may be somebody else, and then the role waits with the batch.</para>
/// <para>Between processes all that leaves is sealed once more, where it lies, by whoever has the role, right before the write (<see cref="SealedBatch"/>).</para>
/// <para>Most frames are hurried: somebody waits for what they say. The others wait for company, so that they cost no system call.</para>
/// </remarks>
internal sealed partial class LinkSender : IThreadPoolWorkItem
{
    /// <summary>Bytes of control frames that may wait while the peer does not read.</summary>
    public const int MaxQueuedBytes = 16 * 1024 * 1024;

    // How many batches one caller sends for the others before it hands the role to the thread pool.
    private const int BatchesPerStretch = 4;

    private readonly DataLink _link;
    private readonly Stream _transport;
    private readonly LinkCipher? _cipher;
    private readonly IRecordRunner? _records;
    private readonly int _turnBytes;
    private readonly int _batchBytes;
    private readonly Action _onWritten;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private SendBuffer _queued;
    private ReadyQueue _ready;
    private bool _hurried;
    private bool _sending;
    private bool _closing;
    private bool _closed;
    private int _corkedThread;
    private long _batch = 1;
    private TaskCompletionSource? _drained;

    // The sender's own: used by whoever has the role.
    private readonly SealingBatch _sealing;
    private SendBuffer _active;
    private ValueTaskAwaiter _write;
    private long _sends;
    private long _framesSent;
    private long _recordFramesSent;
    private long _bytesSent;

    public LinkSender(DataLink link, Stream transport, LinkOptions options, LinkCipher? cipher, IRecordRunner? records)
    {
        _link = link;
        _transport = transport;
        _cipher = cipher;
        _records = records;
        _sealing = new SealingBatch(this);
        _turnBytes = options.TurnBytes;
        _batchBytes = options.BatchBytes;
        var usualBatch = 64 * 1024 + _batchBytes + _turnBytes;
        _queued = new SendBuffer(usualBatch, isSealed: cipher is not null);
        _active = new SendBuffer(usualBatch, isSealed: cipher is not null);
        _onWritten = OnWritten;
    }

    /// <summary>Completes when the link is over and nobody is sending any more.</summary>
    public Task Ended => _ended.Task;

    public LinkCounters Counters => new(Volatile.Read(ref _sends), 0, Volatile.Read(ref _framesSent), 0, Volatile.Read(ref _recordFramesSent), Volatile.Read(ref _bytesSent), 0);

    /// <summary>Numbers the channel and queues the frame that opens it, in one step: numbers grow in the order of the wire.</summary>
    public void Open(LinkChannel channel, ChannelTable table, FrameKind kind, ReadOnlySpan<byte> payload, bool hurried)
    {
        lock (_gate)
        {
            if (_closed || !table.TryAdd(channel))
                throw _link.Lose(new LinkException("The link has used all its channel numbers."));
            if (!TryQueue(kind, channel.Id, payload, hurried) || !TakeRole())
                return;
        }

        Run();
    }

    /// <summary>A frame of a channel that needs no credit.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="hurried">False: it may wait for company, the next frame or turn of anybody, at the latest the next ping.</param>
    public void Send(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload, bool hurried = true)
    {
        lock (_gate)
        {
            if (channel.Turn.Over)
                return;
            if (kind != FrameKind.Window)
                channel.Turn.LastSend = _batch;
            if (FrameRules.Ends(kind))
                channel.Turn.Over = true;
            if (!TryQueue(kind, channel.Id, payload, hurried) || !TakeRole())
                return;
        }

        Run();
    }

    /// <summary>A frame of channel 0, or of a channel that isn't one here.</summary>
    public void Send(FrameKind kind, uint channel, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (!TryQueue(kind, channel, payload, hurried: true) || !TakeRole())
                return;
        }

        Run();
    }

    /// <summary>What waits for company is sent now.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_queued.Length == 0)
                return;
            _hurried = true;
            if (!TakeRole())
                return;
        }

        Run();
    }

    public void RequestTurn(LinkChannel channel)
    {
        lock (_gate)
        {
            channel.Turn.Wanted = true;
            if (!TryQueue(channel) || !TakeRole())
                return;
        }

        Run();
    }

    /// <summary>The peer gave credit back.</summary>
    /// <returns>False: more than it ever granted.</returns>
    public bool AddCredit(LinkChannel channel, uint bytes, int granted)
    {
        lock (_gate)
        {
            if (channel.Turn.Credit + (long)bytes > granted)
                return false;
            channel.Turn.Credit += (int)bytes;
            if (!TryQueue(channel) || !TakeRole())
                return true;
        }

        Run();
        return true;
    }

    /// <summary>Nothing more is sent for the channel, except what is queued already.</summary>
    public void Release(LinkChannel channel)
    {
        lock (_gate)
            channel.Turn.Over = true;
    }

    /// <summary>Until <see cref="Uncork"/>, what the calling thread queues does not make it the sender: the read loop answers all frames of a read at once.</summary>
    public void Cork()
    {
        lock (_gate)
            _corkedThread = Environment.CurrentManagedThreadId;
    }

    public void Uncork()
    {
        lock (_gate)
        {
            _corkedThread = 0;
            if (!HasWork || !TakeRole())
                return;
        }

        Run();
    }

    /// <summary>Gives no turns from here on; completes when the frames that were queued have been written, or can't be.</summary>
    public Task DrainAsync()
    {
        Task drained;
        lock (_gate)
        {
            _closing = true;
            _hurried = _queued.Length > 0;
            if (_closed || (!_sending && !HasWork))
                return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            drained = _drained.Task;
            if (!TakeRole())
                return drained;
        }

        Run();
        return drained;
    }

    /// <summary>The link is over: nothing is queued or filled any more. Calls nobody.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            if (!_sending)
                SignalIdle();
        }
    }

    void IThreadPoolWorkItem.Execute() => Run();

    // ---- Under the gate ----

    private bool HasWork => _hurried || (_ready.Count > 0 && !_closing);

    private bool TakeRole()
    {
        if (_sending || _corkedThread == Environment.CurrentManagedThreadId)
            return false;
        return _sending = true;
    }

    // False: nothing for a sender to do about it, now or ever.
    private bool TryQueue(FrameKind kind, uint channel, ReadOnlySpan<byte> payload, bool hurried)
    {
        if (_closed)
            return false;
        if (_queued.Length + FrameHeader.Size + payload.Length > MaxQueuedBytes)
        {
            _link.Lose(new LinkException($"The peer does not read: {_queued.Length} bytes of frames wait for it."));
            return false;
        }

        _queued.Append(kind, channel, payload);
        _hurried |= hurried;
        return hurried;
    }

    private bool TryQueue(LinkChannel channel)
    {
        ref var turn = ref channel.Turn;
        if (_closed || !turn.Wanted || turn.Queued || turn.Over || turn.Credit <= 0)
            return false;
        turn.Queued = true;
        _ready.Enqueue(channel);
        return true;
    }

    private void SignalIdle()
    {
        _drained?.TrySetResult();
        if (_closed)
            _ended.TrySetResult();
    }

    // Returns when there is nothing to send, or a write is pending whose continuation goes on.
    private void Run()
    {
        for (var batches = 0; TakeBatch(out var turns); batches++)
        {
            GiveTurns(turns);
            if (!TrySeal() || !Finish())
                return;
            if (batches == BatchesPerStretch)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
    }

    // False: pending, or the link is lost.
    private bool Finish()
    {
        TakeQueued();
        return TryWrite();
    }

    // False: somebody else seals, and OnSealed goes on.
    private bool TrySeal()
    {
        if (_sealing.Count == 0)
            return true;
        if (_records is null)
            throw new InvalidOperationException("A channel seals on a link that has no engine.");
        if (!_records.TryRun(_sealing))
            return false;
        CompleteSealing();
        return true;
    }

    // On the thread pool, where an exception would end the process: it ends the link.
    private void OnSealed()
    {
        try
        {
            CompleteSealing();
            if (Finish())
                Run();
        }
        catch (Exception e)
        {
            Fail(new LinkException($"Sending failed: {e.Message}", e));
        }
    }

    private void CompleteSealing()
    {
        for (var i = 0; i < _sealing.Count; i++)
        {
            try
            {
                RecordWriteState.Complete(ref _sealing.Jobs[i]);
            }
            catch (RecordEngineException e)
            {
                Unsealed(_sealing.Owner(i), e);
            }
        }

        _sealing.Clear();
    }

    // Its records are plaintext still: they don't leave. Nor may a frame that ends the channel, when one is queued meanwhile: then the link ends.
    private void Unsealed(LinkChannel channel, RecordEngineException cause)
    {
        if (_active.RemoveRecords(channel.Id) == 0)
            return;
        if (!_link.Fault(channel, cause) && channel.Turn.LastSend == _batch)
            _link.Lose(new LinkException($"Records of channel {channel.Id} could not be sealed.", cause));
    }

    // False: the role is given back.
    private bool TakeBatch(out int turns)
    {
        lock (_gate)
        {
            turns = 0;
            if (_closed || !HasWork)
            {
                _sending = false;
                SignalIdle();
                return false;
            }

            (_active, _queued) = (_queued, _active);
            _hurried = false;
            _batch++;
            if (!_closing)
                turns = _ready.Count;
            return true;
        }
    }

    private void GiveTurns(int turns)
    {
        var limit = _active.Length + _batchBytes;
        while (_active.Length < limit && _sealing.Count < RecordBatch.UsualRecords)
        {
            LinkChannel channel;
            int room;
            lock (_gate)
            {
                if (turns == 0 && _queued.Length == 0 && !_closing)
                    turns = _ready.Count;
                if (turns-- == 0 || _closed)
                    return;
                channel = _ready.Dequeue();
                room = BeginTurn(channel);
            }

            if (room == 0)
                continue;
            if (_records is not null && _sealing.Count == 0)
                _active.Reserve(limit - _active.Length + SealedBatch.Overhead + FrameHeader.Size + _turnBytes);
            Fill(channel, room);
        }
    }

    // What was queued while the turns were given, by them for instance: the last records of a connection and its Close leave together.
    private void TakeQueued()
    {
        lock (_gate)
        {
            if (_closed || _queued.Length == 0 || _queued.Length > _batchBytes)
                return;
            _active.Append(_queued);
            _queued.Clear();
            _hurried = false;
        }
    }

    // Returns the room of the turn; 0: no turn now.
    private int BeginTurn(LinkChannel channel)
    {
        ref var turn = ref channel.Turn;
        turn.Queued = false;
        if (turn.LastSend == _batch)
        {
            // A frame of this channel is queued for the end of this batch or the next one, and goes first.
            TryQueue(channel);
            return 0;
        }

        if (turn.Over || turn.Credit <= 0)
            return 0;
        turn.Wanted = false;
        return Math.Min(_turnBytes, Math.Max(turn.Credit, LinkChannel.MinimumRoom));
    }

    private void Fill(LinkChannel channel, int room)
    {
        if (!channel.TryEnter())
            return;
        var sealing = _sealing.Count;
        var filled = 0;
        try
        {
            var taken = channel.Fill(_active.Room(room), _sealing);
            if ((uint)taken > (uint)room)
                throw new InvalidOperationException($"Fill returned {taken} with room for {room}.");
            filled = taken;
            if (filled == 0)
                return;
            _active.Commit(FrameKind.Records, channel.Id, filled);
            lock (_gate)
                channel.Turn.Credit -= filled;
        }
        catch (Exception e)
        {
            _link.Fault(channel, e);
        }
        finally
        {
            // Of a turn that came to nothing no job may touch the room: it is the next turn's.
            if (filled == 0)
                _sealing.Truncate(sealing);
            channel.Leave();
        }
    }

    // False: pending, or the link is lost; either way the caller is no longer the sender.
    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Its result is taken exactly once, in EndWrite; an async method would allocate per pending write.")]
    private bool TryWrite()
    {
        if (_active.Length == 0)
            return true;
        _sends++;
        _framesSent += _active.Frames;
        _recordFramesSent += _active.RecordFrames;
        _bytesSent += _active.Length;
        ValueTaskAwaiter write;
        try
        {
            if (_cipher is not null)
                _active.Seal(_cipher);
            write = _transport.WriteAsync(_active.Written).GetAwaiter();
        }
        catch (Exception e)
        {
            return FailWrite(e);
        }

        if (write.IsCompleted)
            return EndWrite(write);
        _write = write;

        // From here on the continuation is the sender, perhaps already.
        write.UnsafeOnCompleted(_onWritten);
        return false;
    }

    private void OnWritten()
    {
        var write = _write;
        _write = default;
        if (EndWrite(write))
            Run();
    }

    private bool EndWrite(ValueTaskAwaiter write)
    {
        try
        {
            write.GetResult();
        }
        catch (Exception e)
        {
            return FailWrite(e);
        }

        _active.Clear();
        return true;
    }

    private bool FailWrite(Exception cause)
    {
        Fail(new LinkException($"Writing to the peer failed: {cause.Message}", cause));
        return false;
    }

    // The link is lost, and the role given back.
    private void Fail(LinkException reason)
    {
        _link.Lose(reason, readToTheEnd: true);
        lock (_gate)
        {
            _sending = false;
            SignalIdle();
        }
    }

    /// <summary>The records of a batch of frames.</summary>
    private sealed class SealingBatch(LinkSender sender) : RecordBatch, IThreadPoolWorkItem
    {
        // The runner does not write for others: they would wait for each other's sockets.
        public override void OnRun() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

        void IThreadPoolWorkItem.Execute() => sender.OnSealed();
    }
}
