using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Link;

/// <content>What the one sender does: gather, write, gather again. Only whoever has the role is here.</content>
internal sealed partial class LinkSender
{
    // Returns when there is nothing to send, or a write is pending whose continuation goes on.
    private void Run()
    {
        for (int batches = 0; TakeBatch(out int turns); batches++)
        {
            GiveTurns(turns);
            if (!TrySeal() || !Finish()) return;
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
        if (_sealing.Count == 0) return true;
        if (_records is null) throw new InvalidOperationException("A channel seals on a link that has no engine.");
        if (!_records.TryRun(_sealing)) return false;
        CompleteSealing();
        return true;
    }

    // On the thread pool, where an exception would end the process: it ends the link.
    private void OnSealed()
    {
        try
        {
            CompleteSealing();
            if (Finish()) Run();
        }
        catch (Exception e)
        {
            Fail(new LinkException($"Sending failed: {e.Message}", e));
        }
    }

    private void CompleteSealing()
    {
        for (int i = 0; i < _sealing.Count; i++)
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

    // Its records are plaintext still: they don't leave. Nor does the last word of a channel that has said it meanwhile, and it is queued: then the link ends.
    private void Unsealed(LinkChannel channel, RecordEngineException cause)
    {
        if (_active.RemoveRecords(channel.Id) == 0) return;
        if (!_link.Fault(channel, cause) && channel.Turn.LastSend == _batch) _link.Lose(new LinkException($"Records of channel {channel.Id} could not be sealed.", cause));
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
            if (!_closing) turns = _ready.Count;
            return true;
        }
    }

    private void GiveTurns(int turns)
    {
        int limit = _active.Length + _batchBytes;
        while (_active.Length < limit && _sealing.Count < RecordBatch.UsualRecords)
        {
            LinkChannel channel;
            int room;
            lock (_gate)
            {
                if (turns == 0 && _queued.Length == 0 && !_closing) turns = _ready.Count;
                if (turns-- == 0 || _closed) return;
                channel = _ready.Dequeue();
                room = BeginTurn(channel);
            }

            if (room == 0) continue;
            if (_records is not null && _sealing.Count == 0) _active.Reserve(limit - _active.Length + FrameHeader.Size + _turnBytes);
            Fill(channel, room);
        }
    }

    // What was queued while the turns were given, by them for instance: the last records of a connection and its Close leave together.
    private void TakeQueued()
    {
        lock (_gate)
        {
            if (_closed || _queued.Length == 0 || _queued.Length > _batchBytes) return;
            _active.Append(_queued);
            _queued.Clear();
            _hurried = false;
        }
    }

    // Returns the room of the turn; 0: no turn now.
    private int BeginTurn(LinkChannel channel)
    {
        ref ChannelTurn turn = ref channel.Turn;
        turn.Queued = false;
        if (turn.LastSend == _batch)
        {
            // A frame of this channel is queued for the end of this batch or the next one, and goes first.
            TryQueue(channel);
            return 0;
        }

        if (turn.Over || turn.Credit <= 0) return 0;
        turn.Wanted = false;
        return Math.Min(_turnBytes, Math.Max(turn.Credit, LinkChannel.MinimumRoom));
    }

    private void Fill(LinkChannel channel, int room)
    {
        if (!channel.TryEnter()) return;
        int sealing = _sealing.Count;
        int filled = 0;
        try
        {
            int taken = channel.Fill(_active.Room(room), _sealing);
            if ((uint)taken > (uint)room) throw new InvalidOperationException($"Fill returned {taken} with room for {room}.");
            filled = taken;
            if (filled == 0) return;
            _active.Commit(FrameKind.Records, channel.Id, filled);
            lock (_gate) channel.Turn.Credit -= filled;
        }
        catch (Exception e)
        {
            _link.Fault(channel, e);
        }
        finally
        {
            // Of a turn that came to nothing no job may touch the room: it is the next turn's.
            if (filled == 0) _sealing.Truncate(sealing);
            channel.Leave();
        }
    }

    // False: pending, or the link is lost; either way the caller is no longer the sender.
    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Its result is taken exactly once, in EndWrite; an async method would allocate per pending write.")]
    private bool TryWrite()
    {
        if (_active.Length == 0) return true;
        _sends++;
        _framesSent += _active.Frames;
        _recordFramesSent += _active.RecordFrames;
        _bytesSent += _active.Length;
        ValueTaskAwaiter write;
        try
        {
            write = _transport.WriteAsync(_active.Written).GetAwaiter();
        }
        catch (Exception e)
        {
            return FailWrite(e);
        }

        if (write.IsCompleted) return EndWrite(write);
        _write = write;

        // From here on the continuation is the sender, perhaps already.
        write.UnsafeOnCompleted(_onWritten);
        return false;
    }

    private void OnWritten()
    {
        ValueTaskAwaiter write = _write;
        _write = default;
        if (EndWrite(write)) Run();
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
