using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Silo.Aggregation;

namespace CSsl.Silo.Lifecycle;

/// <summary>What the record engine did in the last second, from its counters. One caller at a time.</summary>
internal sealed class EngineMeter(AggregatorMetrics metrics, TimeProvider time)
{
    private readonly LastSecond<Sample> _samples = new(time);

    public EngineLoad Measure()
    {
        var now = new Sample(metrics.Calls, metrics.Records, metrics.Bytes, metrics.LaneUse, metrics.Waiting, metrics.Batches());
        var (then, perSecond) = _samples.Since(now);
        var calls = now.Calls - then.Calls;
        return new EngineLoad
        {
            Name = metrics.EngineName,
            CallsPerSecond = calls * perSecond,
            RecordsPerSecond = (now.Records - then.Records) * perSecond,
            BytesPerSecond = (now.Bytes - then.Bytes) * perSecond,
            LaneFill = Over(now.LaneUse.Records - then.LaneUse.Records, now.LaneUse.Lanes - then.LaneUse.Lanes),
            QueueWait = Over((now.Waiting - then.Waiting).TotalSeconds, calls),
            Batches = [.. now.Batches.Zip(then.Batches, static (later, earlier) => later - earlier)],
        };
    }

    private static double Over(double amount, double units) => units > 0 ? amount / units : 0;

    private readonly record struct Sample(long Calls, long Records, long Bytes, (long Records, long Lanes) LaneUse, TimeSpan Waiting, long[] Batches);
}
