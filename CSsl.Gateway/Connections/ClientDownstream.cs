using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Grains.Link;

namespace CSsl.Gateway.Connections;

/// <summary>
/// The silo's records on their way to the client: written into the client's pipe on the link's read loop, flushed once per batch. Credit goes
/// back when the kernel has taken them; until then the silo can have no more than a channel's credit under way, and the link does not
/// wait. The only writer to the client, and so the fence: after <see cref="Close"/> no byte of the silo gets out.
/// </summary>
internal sealed class ClientDownstream
{
    private readonly DataChannel _channel;
    private readonly PipeWriter _output;
    private readonly ConnectionEntry _entry;
    private readonly GatewayMeters _meters;
    private readonly Action _onFlushed;
    private readonly Lock _gate = new();

    // Guarded by the gate, like the pipe's writing end.
    private ValueTaskAwaiter<FlushResult> _flush;
    private int _unflushed;

    // The handshake's last records may be in the pipe still, waiting for ours.
    private bool _hasOlder = true;
    private int _inFlush;
    private bool _isFlushing;
    private bool _isFinishing;
    private bool _isClosed;

    public ClientDownstream(DataChannel channel, PipeWriter output, ConnectionEntry entry, GatewayMeters meters)
    {
        (_channel, _output, _entry, _meters) = (channel, output, entry, meters);
        _onFlushed = OnFlushed;
    }

    /// <summary>Takes the payload of a Records frame.</summary>
    /// <exception cref="LinkException">There is something else than whole records in it.</exception>
    public void Write(ReadOnlySpan<byte> payload)
    {
        var records = RecordsPrefix.Read(payload, out _);
        var count = RecordRun.CountWhole(records);
        if (count < 0)
            throw new LinkException("The silo sent something else than whole records.");

        lock (_gate)
        {
            if (_isClosed)
                return;

            // A pipe may be written while a flush is pending; it must only not be flushed again before that is done.
            _output.Write(records);
            _unflushed += payload.Length;
        }

        _entry.CountToClient(count);
        _meters.CountToClient(count, records.Length);
    }

    /// <summary>The silo has sent its last record.</summary>
    public void Finish()
    {
        lock (_gate)
            _isFinishing = true;
    }

    /// <summary>Sends what was written, unless a flush is pending: then that one's end does.</summary>
    public void Flush()
    {
        var credit = 0;
        bool isDelivered;
        var isGone = false;
        var isPending = false;
        lock (_gate)
        {
            while (!_isClosed && !_isFlushing && (_unflushed > 0 || (_isFinishing && _hasOlder)) && !isGone)
            {
                (_inFlush, _unflushed) = (_unflushed, 0);
                _hasOlder = false;
                _flush = AwaiterOf(_output.FlushAsync());
                if (!_flush.IsCompleted)
                {
                    _isFlushing = isPending = true;
                    break;
                }

                isGone = !IsTaken(_flush);
                credit += _inFlush;
            }

            isDelivered = _isFinishing && !_isFlushing && _unflushed == 0;
        }

        // Outside the lock: each of these may run code of ours on this thread.
        if (isPending)
            _flush.UnsafeOnCompleted(_onFlushed);
        if (isGone)
            _channel.Abandon(DataOutcome.ClientGone);
        else if (credit > 0)
            _channel.OnFlushed(credit);
        if (isDelivered)
            _channel.OnDelivered();
    }

    /// <summary>The fence: nothing is written to the client after this.</summary>
    public void Close()
    {
        lock (_gate)
            _isClosed = true;
    }

    private void OnFlushed()
    {
        bool isGone;
        int credit;
        lock (_gate)
        {
            isGone = !IsTaken(_flush);
            _flush = default;
            _isFlushing = false;
            credit = _inFlush;
        }

        if (isGone)
        {
            _channel.Abandon(DataOutcome.ClientGone);
            return;
        }

        _channel.OnFlushed(credit);
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
