using System.Diagnostics.Metrics;
using CSsl.Tls.Engines;

namespace CSsl.Silo.Aggregation;

/// <summary>What aggregation does: how large engine calls become, and what they cost in waiting. Thread-safe.</summary>
public sealed class AggregatorMetrics
{
    private static readonly InstrumentAdvice<double> RecordSizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] };
    private static readonly InstrumentAdvice<double> Fills = new() { HistogramBucketBoundaries = [0.125, 0.25, 0.5, 0.75, 0.9, 1] };
    private static readonly InstrumentAdvice<double> Times = new() { HistogramBucketBoundaries = [0.000_001, 0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01] };

    private readonly Histogram<double> _batches;
    private readonly Histogram<double> _laneFill;
    private readonly Histogram<double> _queueWait;
    private long _calls;
    private long _records;
    private long _bytes;
    private long _failures;

    public AggregatorMetrics(IMeterFactory meters, IRecordEngine engine)
    {
        var meter = meters.Create("CSsl.Engine");
        var name = new KeyValuePair<string, object?>("engine", engine.Name);
        meter.CreateObservableCounter("cssl.engine.calls", () => new Measurement<long>(Calls, name), "{call}", "Calls of the record engine");
        meter.CreateObservableCounter("cssl.engine.records", () => new Measurement<long>(Records, name), "{record}", "Records that the engine sealed or opened");
        meter.CreateObservableCounter("cssl.engine.data", () => new Measurement<long>(Bytes, name), "By", "Bytes of those records");
        meter.CreateObservableCounter("cssl.engine.failures", () => new Measurement<long>(Failures, name), "{call}", "Calls in which the engine failed");
        _batches = meter.CreateHistogram("cssl.engine.batch", "{record}", "Records per call of the engine", advice: RecordSizes);
        _laneFill = meter.CreateHistogram("cssl.engine.lane_fill", "1", "Share of the engine's lanes that the CBC records of a call fill", advice: Fills);
        _queueWait = meter.CreateHistogram("cssl.engine.queue_wait", "s", "Time that a batch waited because another one was being run; batches that did not wait are not counted", advice: Times);
    }

    /// <summary>Calls of the engine.</summary>
    public long Calls => Volatile.Read(ref _calls);

    /// <summary>Records of all calls.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>Bytes of those, as they are on the wire.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Calls in which the engine failed.</summary>
    public long Failures => Volatile.Read(ref _failures);

    // One combiner at a time: plain additions.
    internal void Ran(ReadOnlySpan<RecordJob> jobs, int lanes)
    {
        var bytes = 0L;
        var laneJobs = 0;
        foreach (ref readonly var job in jobs)
        {
            bytes += job.Bytes;
            if (job.RecordKey is { UsesLanes: true })
                laneJobs++;
        }

        Volatile.Write(ref _calls, _calls + 1);
        Volatile.Write(ref _records, _records + jobs.Length);
        Volatile.Write(ref _bytes, _bytes + bytes);
        if (_batches.Enabled)
            _batches.Record(jobs.Length);
        if (laneJobs > 0 && _laneFill.Enabled)
            _laneFill.Record(laneJobs / (double)(lanes * ((laneJobs + lanes - 1) / lanes)));
    }

    internal void Failed() => Interlocked.Increment(ref _failures);

    internal void Waited(TimeSpan time) => _queueWait.Record(time.TotalSeconds);
}
