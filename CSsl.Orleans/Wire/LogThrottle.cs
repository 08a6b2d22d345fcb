namespace CSsl.EmbeddedCluster.Wire;

/// <summary>Lets one log line through per second: whoever can reach the port must not be able to fill the log.</summary>
internal sealed class LogThrottle(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _last;
    private int _suppressed;

    /// <summary>True when a line may be written; <paramref name="suppressed"/> says how many were not since the last.</summary>
    public bool TryPass(out int suppressed)
    {
        lock (_gate)
        {
            suppressed = _suppressed;
            if (_last is { } last && time.GetElapsedTime(last) < TimeSpan.FromSeconds(1))
            {
                _suppressed++;
                return false;
            }
            _last = time.GetTimestamp();
            _suppressed = 0;
            return true;
        }
    }
}
