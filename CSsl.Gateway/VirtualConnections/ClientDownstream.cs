using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Link;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// The records of one silo after the other on their way to the client: written into the client's pipe on the link's read loop, flushed once per batch.
/// Credit goes back when the kernel has taken them; until then the silo can have no more than a channel's credit under way, and the link does not
/// wait. The only writer to the client, and so the fence: after <see cref="Close"/> no byte of that channel gets out.
/// </summary>
internal sealed class ClientDownstream(VirtualConnection owner, ConnectionEntry entry, PipeWriter output, SentToClient sent, GatewayMeters meters)
{
    private readonly Lock _gate = new();
    private Action? _onFlushed;

    // Guarded by the gate, like the pipe's writing end.
    private DataChannel? _channel;
    private ValueTaskAwaiter<FlushResult> _flush;
    private int _unflushed;

    // Of the channel that is open: bytes to give back once they are flushed, and those that the flush under way is about.
    private int _credit;
    private int _creditInFlush;

    // The handshake's last records may be in the pipe still, waiting for ours.
    private bool _hasOlder = true;
    private bool _isFlushing;
    private bool _isFinishing;
    private bool _isGone;
    private long? _faultAt;

    /// <summary>What comes on this channel is for the client, from here on.</summary>
    public void Open(DataChannel channel)
    {
        lock (_gate)
            _channel = channel;
    }

    /// <summary>The fence: nothing of this channel is written to the client after this.</summary>
    public void Close(DataChannel channel)
    {
        lock (_gate)
        {
            if (_channel != channel)
                return;

            (_channel, _credit, _creditInFlush) = (null, 0, 0);
            sent.Forget();
        }
    }

    /// <summary>The time until the next silo's first byte is to be measured.</summary>
    public void ExpectAfterFault(long at)
    {
        lock (_gate)
            _faultAt ??= at;
    }

    /// <summary>What the next silo is told about the server's half.</summary>
    public T Read<T>(Func<SentToClient, T> read)
    {
        lock (_gate)
            return read(sent);
    }

    /// <summary>Takes the payload of a Records frame: delivered as a whole.</summary>
    /// <exception cref="LinkException">There is something else than whole records in it.</exception>
    public void Write(DataChannel channel, ReadOnlySpan<byte> payload)
    {
        var records = RecordsPrefix.Read(payload, out var applicationBytes);
        var count = RecordRun.CountWhole(records);
        if (count < 0)
            throw new LinkException("The silo sent something else than whole records.");

        long? faultAt = null;
        lock (_gate)
        {
            if (_channel != channel)
                return;

            // A pipe may be written while a flush is pending; it must only not be flushed again before that is done.
            output.Write(records);
            sent.Deliver(count, applicationBytes);
            entry.CountToClient(records.Length);
            _unflushed += records.Length;
            _credit += payload.Length;
            if (applicationBytes > 0)
                (faultAt, _faultAt) = (_faultAt, null);
        }

        meters.CountToClient(count, records.Length);
        owner.Touch();
        if (faultAt is { } at)
            owner.OnFirstByte(at);
    }

    /// <summary>A capsule for later.</summary>
    /// <exception cref="LinkException">It does not fit.</exception>
    public void Announce(DataChannel channel, Rekeyed rekeyed)
    {
        lock (_gate)
        {
            if (_channel == channel)
                sent.Announce(rekeyed);
        }
    }

    /// <summary>What the next silo would need to go on with the response that begins.</summary>
    public void Keep(DataChannel channel, ReadOnlySpan<byte> note)
    {
        lock (_gate)
        {
            if (_channel == channel)
                sent.Keep(note);
        }
    }

    /// <summary>Says whether the channel is open; if so, a checkpoint at that record can be made.</summary>
    /// <exception cref="LinkException">It does not fit.</exception>
    public bool CheckCheckpoint(DataChannel channel, ulong record, ReadOnlyMemory<byte> capsule)
    {
        lock (_gate)
        {
            if (_channel != channel)
                return false;

            sent.CheckCheckpoint(record, capsule);
            return true;
        }
    }

    /// <summary>After <see cref="CheckCheckpoint"/>, on the same thread.</summary>
    public void Checkpoint(ReadOnlyMemory<byte> capsule)
    {
        lock (_gate)
        {
            sent.Checkpoint(capsule);
            _faultAt = null;
        }
    }

    /// <summary>The last record was written.</summary>
    public void Finish()
    {
        lock (_gate)
            _isFinishing = true;
    }

    /// <summary>Sends what was written, unless a flush is pending: then that one's end does.</summary>
    public void Flush()
    {
        var credit = 0;
        DataChannel? channel;
        bool isDelivered;
        bool isGone;
        var isPending = false;
        lock (_gate)
        {
            while (!_isGone && !_isFlushing && (_unflushed > 0 || (_isFinishing && _hasOlder)))
            {
                (_unflushed, _hasOlder) = (0, false);
                (_creditInFlush, _credit) = (_credit, 0);
                _flush = AwaiterOf(output.FlushAsync());
                if (!_flush.IsCompleted)
                {
                    _isFlushing = isPending = true;
                    break;
                }

                _isGone = !IsTaken(_flush);
                credit += _creditInFlush;
            }

            (channel, isGone) = (_channel, _isGone);
            isDelivered = _isFinishing && !_isFlushing && _unflushed == 0;
        }

        // Outside the lock: each of these may run code of ours on this thread.
        if (isPending)
            _flush.UnsafeOnCompleted(_onFlushed ??= OnFlushed);
        if (isGone)
            owner.End(DataOutcome.ClientGone);
        else if (credit > 0)
            channel?.OnFlushed(credit);
        if (isDelivered)
            owner.End(DataOutcome.Done);
    }

    private void OnFlushed()
    {
        int credit;
        DataChannel? channel;
        lock (_gate)
        {
            _isGone = !IsTaken(_flush);
            _flush = default;
            _isFlushing = false;
            (credit, _creditInFlush, channel) = (_creditInFlush, 0, _channel);
        }

        if (credit > 0)
            channel?.OnFlushed(credit);
        Flush();
    }

    // Awaited by hand, with one delegate for the life of the connection: no allocation per flush.
    private static ValueTaskAwaiter<FlushResult> AwaiterOf(ValueTask<FlushResult> flush) => flush.GetAwaiter();

    private static bool IsTaken(ValueTaskAwaiter<FlushResult> flush)
    {
        try
        {
            return flush.GetResult() is { IsCompleted: false, IsCanceled: false };
        }
        catch (Exception e) when (ClientSocket.IsGone(e))
        {
            return false;
        }
    }
}
