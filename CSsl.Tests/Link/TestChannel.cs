using System.Threading.Channels;
using CSsl.Link;

namespace CSsl.Tests.Link;

/// <summary>A frame as a channel got it.</summary>
internal sealed record Frame(FrameKind Kind, byte[] Payload, uint Channel = 0);

/// <summary>A channel that notes what it gets, and sends what it is given.</summary>
internal sealed class TestChannel : LinkChannel
{
    private const int MostRooms = 100;

    private readonly Channel<Frame> _frames = Channel.CreateUnbounded<Frame>();
    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _batchEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<byte[]> _outgoing = new();

    public Action? FirstFrame { get; set; }

    /// <summary>Runs in OnFrame, after the frame was noted.</summary>
    public Action<TestChannel, Frame>? Frames { get; set; }

    /// <summary>Instead of sending what was queued.</summary>
    public FillAction? Filler { get; set; }

    public Action? WhenLost { get; set; }

    public Action? BatchEnd { get; set; }

    /// <summary>Returns the credit of received records at once.</summary>
    public bool Returns { get; set; }

    /// <summary>Records are not noted, only counted by <see cref="WhenRecords"/>.</summary>
    public bool Discards { get; set; }

    /// <summary>Runs for each Records frame, with its length.</summary>
    public Action<int>? WhenRecords { get; set; }

    public int LostCalls { get; private set; }

    /// <summary>Calls that came after OnLinkLost.</summary>
    public int CallsAfterLost { get; private set; }

    /// <summary>Of the first hundred turns.</summary>
    public List<int> Rooms { get; } = new(MostRooms);

    public Task<Exception> Lost => _lost.Task.WaitAsync(TestLinks.Patience);

    /// <summary>Completes once it has been told of the end of a batch.</summary>
    public Task BatchEnded => _batchEnded.Task.WaitAsync(TestLinks.Patience);

    public bool IsLost => _lost.Task.IsCompleted;

    public async Task<Frame> NextAsync() => await _frames.Reader.ReadAsync().AsTask().WaitAsync(TestLinks.Patience);

    public bool TryNext(out Frame? frame) => _frames.Reader.TryRead(out frame);

    /// <summary>Waits for a frame of this kind; fails on any other.</summary>
    public async Task<byte[]> NextAsync(FrameKind kind)
    {
        var frame = await NextAsync();
        return frame.Kind == kind ? frame.Payload : throw new InvalidOperationException($"Expected {kind}, got {frame.Kind}.");
    }

    /// <summary>Takes frames up to and including one of this kind away, and returns those before it.</summary>
    public async Task<IReadOnlyList<Frame>> SkipAsync(FrameKind kind)
    {
        var skipped = new List<Frame>();
        for (Frame frame = await NextAsync(); frame.Kind != kind; frame = await NextAsync())
            skipped.Add(frame);
        return skipped;
    }

    /// <summary>Waits for Close; fails on any other frame.</summary>
    public async Task<CloseReason> NextCloseAsync() => Close.Decode(await NextAsync(FrameKind.Close)).Reason;

    /// <summary>Sends this at the next turn.</summary>
    public void SendRecords(byte[] records)
    {
        lock (_outgoing)
            _outgoing.Enqueue(records);
        RequestTurn();
    }

    public void AskForTurn() => RequestTurn();

    public void SendFrame(FrameKind kind, params byte[] payload) => Send(kind, payload);

    public void SendFrame(FrameKind kind, byte payload, bool hurried) => Send(kind, [payload], hurried);

    public void GiveCredit(int bytes) => ReturnCredit(bytes);

    public void Forget() => Release();

    protected internal override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        if (IsLost)
            CallsAfterLost++;
        if (Discards && kind == FrameKind.Records)
        {
            if (Returns)
                ReturnCredit(payload.Length);
            WhenRecords?.Invoke(payload.Length);
            return;
        }

        var frame = new Frame(kind, payload.ToArray());
        _frames.Writer.TryWrite(frame);
        if (Interlocked.Exchange(ref _first, 1) == 0)
            FirstFrame?.Invoke();
        if (Returns && kind == FrameKind.Records)
            ReturnCredit(payload.Length);
        Frames?.Invoke(this, frame);
    }

    protected internal override void OnBatchEnd()
    {
        if (IsLost)
            CallsAfterLost++;
        BatchEnd?.Invoke();
        _batchEnded.TrySetResult();
    }

    protected internal override void OnLinkLost(Exception reason)
    {
        LostCalls++;
        _lost.TrySetResult(reason);
        WhenLost?.Invoke();
    }

    protected internal override int Fill(Span<byte> room)
    {
        if (IsLost)
            CallsAfterLost++;
        if (Rooms.Count < MostRooms)
            Rooms.Add(room.Length);
        if (Filler is not null)
            return Filler(room);
        byte[]? records;
        bool more;
        lock (_outgoing)
        {
            if (!_outgoing.TryDequeue(out records))
                return 0;
            more = _outgoing.Count > 0;
        }

        records.CopyTo(room);
        if (more)
            RequestTurn();
        return records.Length;
    }

    private int _first;
}

internal delegate int FillAction(Span<byte> room);
