using System.Threading.Channels;
using CSsl.Link;

namespace CSsl.Tests.Silo;

/// <summary>The gateway's end of a session that a silo serves: passes records on, keeps within its credit, and notes what happens.</summary>
/// <param name="books">What the gateway keeps of the session over all its silos; null where that doesn't matter.</param>
internal sealed class GatewayChannel(GatewayBooks? books = null) : LinkChannel
{
    // What may wait here for a turn, so that a client is slowed down as its TCP window would.
    private const int QueueLimit = 64 * 1024;

    private readonly Channel<byte[]> _received = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CloseReason?> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Detach> _detached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<HandOver> _handedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _silo = books?.Silo ?? 0;
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _outgoing = new();
    private TaskCompletionSource? _roomAgain;
    private int _queued;
    private int _unreturned;
    private int _mostUnreturned;

    /// <summary>Credit is returned when records come, as for a client that reads all the time.</summary>
    public bool ReturnsAtOnce { get; set; }

    /// <summary>Runs for every record of the silo, delivered or not.</summary>
    public Action<byte[]>? Seen { get; set; }

    /// <summary>The silo serves the session.</summary>
    public Task Attached => _attached.Task.WaitAsync(TestSilo.Patience);

    /// <summary>How the silo closed the channel; null when the link was lost.</summary>
    public Task<CloseReason?> Closed => _closed.Task.WaitAsync(TestSilo.Patience);

    /// <summary>The silo has let the session go.</summary>
    public Task<Detach> Detached => _detached.Task.WaitAsync(TestSilo.Patience);

    /// <summary>The silo would have the session go on elsewhere.</summary>
    public Task<HandOver> HandedOver => _handedOver.Task.WaitAsync(TestSilo.Patience);

    public bool IsHandedOver => _handedOver.Task.IsCompletedSuccessfully;

    public bool IsDetached => _detached.Task.IsCompletedSuccessfully;

    /// <summary>The most bytes of records that were here at once without their credit being returned.</summary>
    public int MostUnreturned => Volatile.Read(ref _mostUnreturned);

    /// <summary>Bytes of records that are here now.</summary>
    public int Unreturned => Volatile.Read(ref _unreturned);

    /// <summary>The next records for the client, whose credit is returned by <see cref="Return"/>; null at the end.</summary>
    public async Task<byte[]?> NextAsync()
        => await _received.Reader.WaitToReadAsync().AsTask().WaitAsync(TestSilo.Patience) && _received.Reader.TryRead(out var records) ? records : null;

    /// <summary>The next so many records, in however many frames.</summary>
    public async Task<List<byte[]>> NextRecordsAsync(int count)
    {
        var records = new List<byte[]>();
        while (records.Count < count)
            records.AddRange(GatewayBooks.Split(await NextAsync() ?? throw new EndOfStreamException($"The silo closed the channel: {await Closed}.")));
        return records;
    }

    /// <summary>Gives back the credit of one frame, by the length of its records.</summary>
    public void Return(int records)
    {
        if (ReturnsAtOnce)
            return;
        var bytes = RecordsPrefix.Length + records;
        Interlocked.Add(ref _unreturned, -bytes);
        ReturnCredit(bytes);
    }

    /// <summary>Sends whole records of the client, once there is room for them.</summary>
    public Task SendAsync(byte[] records)
    {
        books?.Forward(records);
        return ReplayAsync(records);
    }

    /// <summary>As <see cref="SendAsync"/>, for records that were sent before, to another silo.</summary>
    public async Task ReplayAsync(byte[] records)
    {
        Task room;
        lock (_gate)
        {
            _outgoing.Enqueue(records);
            _queued += records.Length;
            room = _queued <= QueueLimit ? Task.CompletedTask : (_roomAgain ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        RequestTurn();
        await Task.WhenAny(room, _closed.Task);
    }

    public void SendFinish() => Send(FrameKind.Finish, []);

    public void SendMove(string silo) => Send(FrameKind.Move, new MoveTarget(silo).Encode());

    public void SendGoOn() => Send(FrameKind.GoOn, []);

    public void SendEof() => Send(FrameKind.Eof, []);

    public void SendClose(CloseReason reason)
    {
        Send(FrameKind.Close, [(byte)reason]);
        Release();
        Finish(null);
    }

    /// <summary>The gateway has done with this silo: what was delivered can still be read. The silo is told nothing.</summary>
    public void Drop()
    {
        Release();
        Finish(null);
    }

    /// <summary>Completes when everything that was queued has been sent.</summary>
    public async Task FlushedAsync()
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_queued == 0)
                    return;
                room = (_roomAgain ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await Task.WhenAny(room, _closed.Task);
            if (_closed.Task.IsCompleted)
                return;
        }
    }

    protected internal override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Attached:
                _attached.TrySetResult();
                break;
            case FrameKind.Records:
                if (Seen is { } seen)
                    GatewayBooks.Split(RecordsPrefix.Read(payload, out _)).ForEach(seen);
                if (ReturnsAtOnce)
                    ReturnCredit(payload.Length);
                if (books?.Take(_silo, kind, payload) == false)
                    break;
                var now = Interlocked.Add(ref _unreturned, payload.Length);
                _mostUnreturned = Math.Max(_mostUnreturned, now);
                _received.Writer.TryWrite(RecordsPrefix.Read(payload, out _).ToArray());
                break;
            case FrameKind.Checkpoint or FrameKind.Rekeyed or FrameKind.ResponseNote:
                books?.Take(_silo, kind, payload);
                break;
            case FrameKind.Detach:
                books?.Take(_silo, kind, payload);
                Release();
                _detached.TrySetResult(Detach.Decode(payload));
                Finish(null);
                break;
            case FrameKind.HandOver:
                _handedOver.TrySetResult(HandOver.Decode(payload));
                break;
            case FrameKind.Close:
                Release();
                Finish(Close.Decode(payload).Reason);
                break;
            default:
                throw new InvalidOperationException($"A {kind} frame from the silo.");
        }
    }

    protected internal override void OnLinkLost(Exception reason) => Finish(null);

    protected internal override int Fill(Span<byte> room)
    {
        var filled = 0;
        TaskCompletionSource? roomAgain = null;
        lock (_gate)
        {
            while (_outgoing.TryPeek(out var records) && records.Length <= room.Length - filled)
            {
                records.CopyTo(room[filled..]);
                filled += records.Length;
                _outgoing.Dequeue();
            }

            _queued -= filled;
            if (_outgoing.Count > 0)
                RequestTurn();
            if (_queued <= QueueLimit)
                (roomAgain, _roomAgain) = (_roomAgain, null);
        }

        roomAgain?.SetResult();
        return filled;
    }

    private void Finish(CloseReason? reason)
    {
        _attached.TrySetCanceled();
        _closed.TrySetResult(reason);
        _detached.TrySetCanceled();
        _received.Writer.TryComplete();
    }
}
