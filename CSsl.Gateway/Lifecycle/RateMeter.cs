namespace CSsl.Gateway.Lifecycle;

/// <summary>The rate of a counter over the last second or so, from readings that come twice a second. Not thread-safe.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private const int Readings = 3;

    private readonly Queue<(long At, long Count)> _readings = new(Readings);

    /// <summary>Takes a reading; returns the rate per second since the oldest of the last three.</summary>
    public double Read(long count)
    {
        var now = time.GetTimestamp();
        if (_readings.Count == Readings)
            _readings.Dequeue();
        _readings.Enqueue((now, count));
        var (at, first) = _readings.Peek();
        var elapsed = time.GetElapsedTime(at, now).TotalSeconds;
        return elapsed > 0 ? (count - first) / elapsed : 0;
    }
}
