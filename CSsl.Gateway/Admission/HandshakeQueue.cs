namespace CSsl.Gateway.Admission;

/// <summary>
/// The places for handshakes of this gateway, and the clients that wait for one: in the order of their arrival, and newest first once the
/// oldest has waited for long. Then more come than can be served, and who came first is the likeliest to have given up. Thread-safe.
/// </summary>
/// <param name="limit">How many places there are.</param>
/// <param name="pace">How many of them are given per second; used in this queue's lock.</param>
/// <param name="capacity">How many may wait; one more drives out the oldest. 0: nobody waits.</param>
/// <param name="patience">How long each may wait.</param>
/// <param name="time">The clock.</param>
internal sealed class HandshakeQueue(AdaptiveLimit limit, HandshakePace pace, int capacity, TimeSpan patience, TimeProvider time)
{
    /// <summary>The share of its patience that the oldest has waited for when the newest go first.</summary>
    private const double OverloadShare = 0.2;

    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private int _underWay;
    private bool _isClosed;

    /// <summary>Places that are taken.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>Clients that wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _waiters.Count;
        }
    }

    /// <summary>Places that are given per second; infinite: as many as come.</summary>
    public double Pace
    {
        get
        {
            lock (_gate)
                return pace.Rate;
        }
    }

    /// <summary>Takes a place, now or when one is free; false: none in time. <see cref="Leave"/> gives it back.</summary>
    public ValueTask<bool> EnterAsync()
    {
        Waiter waiter;
        Waiter? drivenOut = null;
        lock (_gate)
        {
            if (_underWay < limit.Current && _waiters.Count == 0 && pace.TryTake())
            {
                _underWay++;
                return ValueTask.FromResult(true);
            }

            if (capacity == 0 || _isClosed)
                return ValueTask.FromResult(false);
            if (_waiters.Count >= capacity)
                drivenOut = Take(_waiters.First!);
            waiter = new Waiter(time.GetTimestamp());
            _waiters.AddLast(waiter);
        }

        drivenOut?.Answer.SetResult(false);
        return new ValueTask<bool>(waiter.Answer.Task);
    }

    /// <summary>Gives a place back.</summary>
    public void Leave()
    {
        lock (_gate)
            _underWay--;
        Admit();
    }

    /// <summary>Refuses all who wait, and whoever would have to from here on.</summary>
    public void Close()
    {
        List<Waiter> waiters;
        lock (_gate)
        {
            _isClosed = true;
            waiters = [.. _waiters];
            _waiters.Clear();
        }

        waiters.ForEach(static waiter => waiter.Answer.SetResult(false));
    }

    /// <inheritdoc cref="HandshakePace.Observe"/>
    public void Observe(bool isFull, double least)
    {
        lock (_gate)
            pace.Observe(isFull, least);
    }

    /// <summary>Refuses whose time is over, and admits others where there are places: called now and then, and when the limit has grown.</summary>
    public void Sweep()
    {
        while (TakeExpired() is { } expired)
            expired.Answer.SetResult(false);
        Admit();
    }

    private void Admit()
    {
        while (TakeNext() is { } next)
            next.Answer.SetResult(true);
    }

    private Waiter? TakeExpired()
    {
        lock (_gate)
            return _waiters.First is { } oldest && HasWaited(oldest.Value) >= patience ? Take(oldest) : null;
    }

    private Waiter? TakeNext()
    {
        lock (_gate)
        {
            if (_underWay >= limit.Current || _waiters.First is not { } oldest || !pace.TryTake())
                return null;

            _underWay++;
            return Take(HasWaited(oldest.Value) < patience * OverloadShare ? oldest : _waiters.Last!);
        }
    }

    private TimeSpan HasWaited(Waiter waiter) => time.GetElapsedTime(waiter.Since);

    private Waiter Take(LinkedListNode<Waiter> node)
    {
        _waiters.Remove(node);
        return node.Value;
    }

    private sealed class Waiter(long since)
    {
        public long Since { get; } = since;

        public TaskCompletionSource<bool> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
