namespace CSsl.Link;

/// <summary>Lets one line through per second, so that what happens often does not fill the log. Thread-safe.</summary>
public sealed class LineRate(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private long? _last;
    private long _others;

    /// <summary>True when a line is due.</summary>
    /// <param name="others">How many were not, since the last one that was.</param>
    public bool IsDue(out long others)
    {
        lock (_gate)
        {
            others = _others;
            if (_last is { } last && time.GetElapsedTime(last) < Interval)
            {
                _others++;
                return false;
            }

            (_last, _others) = (time.GetTimestamp(), 0);
            return true;
        }
    }
}
