namespace CSsl.Hosting;

/// <summary>Counters as they were at the last few reports, so that a rate is of a second though reports are twice as frequent. One caller at a time.</summary>
/// <typeparam name="T">What is counted.</typeparam>
public sealed class LastSecond<T>(TimeProvider time)
{
    private readonly Queue<(long Timestamp, T Counters)> _samples = new();

    /// <summary>Takes the counters as they are now.</summary>
    /// <returns>What they were about a second ago, and what makes a rate of their growth since then: one by the seconds. At the first time what they are, and 0.</returns>
    public (T Then, double PerSecond) Since(T now)
    {
        var timestamp = time.GetTimestamp();
        (long Timestamp, T Counters) then = _samples.TryPeek(out var oldest) ? oldest : (timestamp, now);
        _samples.Enqueue((timestamp, now));
        while (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().Timestamp, timestamp) >= TimeSpan.FromSeconds(1))
            _samples.Dequeue();
        var seconds = time.GetElapsedTime(then.Timestamp, timestamp).TotalSeconds;
        return (then.Counters, seconds > 0 ? 1 / seconds : 0);
    }
}
