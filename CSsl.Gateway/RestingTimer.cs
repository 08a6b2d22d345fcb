namespace CSsl.Gateway;

/// <summary>A timer that ticks only while there is something to do: a gateway at rest is not woken for nothing. Thread-safe.</summary>
internal sealed class RestingTimer : IDisposable
{
    private readonly TimeSpan _interval;
    private readonly Func<bool> _tick;
    private readonly ITimer _timer;
    private int _isRunning;

    /// <param name="interval">From <see cref="Wake"/> to the first tick, and from one tick to the next.</param>
    /// <param name="tick">Does what there is to do; false: nothing is left, the timer rests.</param>
    /// <param name="time">The clock.</param>
    public RestingTimer(TimeSpan interval, Func<bool> tick, TimeProvider time)
    {
        (_interval, _tick) = (interval, tick);
        _timer = time.CreateTimer(static self => ((RestingTimer)self!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>There is something to do.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _isRunning) == 0 && Interlocked.Exchange(ref _isRunning, 1) == 0)
            _timer.Change(_interval, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void OnTick()
    {
        // Before it looks: whatever comes after that look wakes it again.
        Volatile.Write(ref _isRunning, 0);
        Interlocked.MemoryBarrier();
        if (_tick())
            Wake();
    }
}
