namespace CSsl.Silo.Handshake;

/// <summary>Keeps from asking again and again somebody who does not answer: after a failure there is a pause, twice as long after each one that follows. Thread-safe.</summary>
internal sealed class Breaker(TimeProvider time)
{
    internal static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private TimeSpan _pause;
    private long _failedAt;

    /// <summary>False during a pause.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
                return _pause == TimeSpan.Zero || time.GetElapsedTime(_failedAt) >= _pause;
        }
    }

    /// <returns>True when it worked before: the first failure.</returns>
    public bool Failed()
    {
        lock (_gate)
        {
            var first = _pause == TimeSpan.Zero;

            // Failures of what began before the pause don't make it longer.
            if (first || time.GetElapsedTime(_failedAt) >= _pause)
                (_pause, _failedAt) = (first ? FirstPause : TimeSpan.FromTicks(Math.Min(2 * _pause.Ticks, LongestPause.Ticks)), time.GetTimestamp());
            return first;
        }
    }

    /// <returns>True when it had failed before: the end of the trouble.</returns>
    public bool Worked()
    {
        lock (_gate)
        {
            var over = _pause != TimeSpan.Zero;
            _pause = TimeSpan.Zero;
            return over;
        }
    }
}
