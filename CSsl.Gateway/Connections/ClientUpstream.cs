using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Tls.Records;

namespace CSsl.Gateway.Connections;

/// <summary>
/// The client's records on their way to the silo: read from the client's pipe, copied into the link's send buffer when it is the channel's
/// turn. Back-pressure: without a turn nothing is read, the pipe fills up, and the client's TCP window closes. No allocation per record.
/// </summary>
internal sealed class ClientUpstream(DataChannel channel, PipeReader input, ConnectionEntry entry, int maxLength, GatewayMeters meters) : IValueTaskSource<bool>
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _turn;

    // Guarded by the gate: the pipe's memory is ours from BeginTurn until the turn's end.
    private ReadOnlySequence<byte> _pending;
    private bool _isWaiting;
    private bool _isStopped;
    private int _taken;

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
                if (status == RecordStatus.NeedMore)
                {
                    // Of a record that the client did not finish the silo could make nothing.
                    input.AdvanceTo(buffer.Start, buffer.End);
                    if (result.IsCompleted)
                        channel.SendEof();
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

                channel.RequestUpstreamTurn();
                var isTaken = await turn;
                input.AdvanceTo(buffer.GetPosition(_taken));
                if (!isTaken || !isRecord)
                    return;
            }
        }
        catch (Exception e)
        {
            // However the pump ends, the connection must not wait for it.
            channel.Abandon(ClientSocket.IsGone(e) ? DataOutcome.ClientGone : DataOutcome.Reset);
            if (!ClientSocket.IsGone(e))
                throw;
        }
    }

    /// <summary>The channel's turn: as many whole records as the room takes.</summary>
    public int Fill(Span<byte> room)
    {
        int bytes;
        lock (_gate)
        {
            if (!_isWaiting)
                return 0;

            bytes = Take(room);
            _isWaiting = false;
        }

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
        }

        if (wasWaiting)
            _turn.SetResult(false);
        else
            input.CancelPendingRead();
    }

    private bool BeginTurn(in ReadOnlySequence<byte> pending, out ValueTask<bool> turn)
    {
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
            return true;
        }
    }

    private int Take(Span<byte> room)
    {
        var run = RecordRun.Find(_pending, ConnectionPhase.Data, maxLength, room.Length);
        if (run.Bytes == 0)
            run = new RecordRun((int)_pending.Length, 1, run.Next);
        _pending.Slice(0, run.Bytes).CopyTo(room);
        _pending = default;
        _taken = run.Bytes;
        entry.CountFromClient(run.Count);
        meters.CountFromClient(run.Count, run.Bytes);
        return run.Bytes;
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _turn.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _turn.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _turn.OnCompleted(continuation, state, token, flags);
}
