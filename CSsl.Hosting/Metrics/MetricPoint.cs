namespace CSsl.Hosting.Metrics;

/// <summary>One value, or the buckets of one histogram. Written by any thread without a lock.</summary>
public sealed class MetricPoint
{
    private readonly double[] _bounds;
    private readonly long[] _buckets;
    private double _sum;
    private long _count;

    /// <param name="bounds">Upper bounds of a histogram's buckets, ascending; empty for a plain value.</param>
    internal MetricPoint(double[] bounds)
    {
        _bounds = bounds;
        _buckets = bounds.Length == 0 ? [] : new long[bounds.Length + 1];
    }

    /// <summary>The value; a histogram's sum.</summary>
    public double Value => Volatile.Read(ref _sum);

    /// <summary>Measurements so far.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>True once there was a measurement.</summary>
    public bool IsUsed => Count > 0;

    /// <summary>For each bound, how many measurements were not above it; the last is of all.</summary>
    public IEnumerable<(double UpperBound, long Count)> CumulativeBuckets
    {
        get
        {
            long total = 0;
            for (var i = 0; i < _buckets.Length; i++)
            {
                total += Volatile.Read(ref _buckets[i]);
                yield return (i < _bounds.Length ? _bounds[i] : double.PositiveInfinity, total);
            }
        }
    }

    internal void Set(double value)
    {
        Volatile.Write(ref _sum, value);
        Interlocked.Increment(ref _count);
    }

    internal void Add(double value)
    {
        var seen = Volatile.Read(ref _sum);
        double before;
        while ((before = Interlocked.CompareExchange(ref _sum, seen + value, seen)) != seen)
            seen = before;

        if (_buckets.Length > 0)
        {
            var index = Array.BinarySearch(_bounds, value);
            Interlocked.Increment(ref _buckets[index >= 0 ? index : ~index]);
        }

        Interlocked.Increment(ref _count);
    }
}
