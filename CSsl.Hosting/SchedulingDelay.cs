namespace CSsl.Hosting;

/// <summary>
/// How late this process gets to work that is due: a timer that should fire twenty times a second, and how much later it does. Waiting for
/// a core, for a control group's next period and for a thread of the pool all show here, whatever limits the process. While it fires in time it need not
/// so often, and a process at rest is left alone. Thread-safe.
/// </summary>
public sealed class SchedulingDelay : IDisposable
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestInterval = 8 * ShortestInterval;

    /// <summary>Later than a timer fires where nobody waits.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private TimeSpan _interval = ShortestInterval;
    private long _armedAt;
    private TimeSpan _late;
    private int _count;

    public SchedulingDelay(TimeProvider time)
    {
        _time = time;
        _armedAt = time.GetTimestamp();

        // One shot, armed again each time: a periodic timer that is late fires twice in a row.
        _timer = time.CreateTimer(static self => ((SchedulingDelay)self!).OnTimer(), this, ShortestInterval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The mean in seconds since the last call; what is due now and late counts as late as it is.</summary>
    public double Read()
    {
        lock (_gate)
        {
            var pending = _time.GetElapsedTime(_armedAt) - _interval;
            if (pending > ShortestInterval)
                (_late, _count) = (_late + pending, _count + 1);
            var mean = _count > 0 ? _late.TotalSeconds / _count : 0;
            (_late, _count) = (TimeSpan.Zero, 0);
            return mean;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        TimeSpan interval;
        lock (_gate)
        {
            var late = _time.GetElapsedTime(_armedAt) - _interval;
            _late += late > TimeSpan.Zero ? late : TimeSpan.Zero;
            _count++;
            interval = _interval = late > Late ? ShortestInterval : _interval < LongestInterval ? 2 * _interval : LongestInterval;
            _armedAt = _time.GetTimestamp();
        }

        _timer.Change(interval, Timeout.InfiniteTimeSpan);
    }
}
