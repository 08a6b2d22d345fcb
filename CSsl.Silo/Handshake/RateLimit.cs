namespace CSsl.Silo.Handshake;

/// <summary>Lets so many through per second, and a second's worth at once. Thread-safe.</summary>
internal sealed class RateLimit(int perSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private double _left = perSecond;
    private long _at = time.GetTimestamp();

    public bool TryTake()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _left = Math.Min(perSecond, _left + (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
            _at = now;
            if (_left < 1)
                return false;
            _left--;
            return true;
        }
    }
}
