using System.Diagnostics.Metrics;
using System.Numerics;
using CSsl.Tls.Engines;

namespace CSsl.Silo.Aggregation;

/// <summary>What aggregation does: how large engine calls become, and what they cost in waiting. Written by one combiner at a time, read by anyone.</summary>
public sealed class AggregatorMetrics
{
    /// <summary>Sizes of calls that are told apart: 1, 2 to 3, 4 to 7, … 65,536.</summary>
    private const int Sizes = 17;

    private static readonly InstrumentAdvice<double> RecordSizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] };
    private static readonly InstrumentAdvice<double> ByteSizes = new() { HistogramBucketBoundaries = [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576] };
    private static readonly InstrumentAdvice<double> Fills = new() { HistogramBucketBoundaries = [0.125, 0.25, 0.5, 0.75, 0.9, 1] };
    private static readonly InstrumentAdvice<double> Times = new() { HistogramBucketBoundaries = [0.000_001, 0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01] };

    private readonly Histogram<double> _batch;
    private readonly Histogram<double> _batchBytes;
    private readonly Histogram<double> _laneFill;
    private readonly Histogram<double> _queueWait;
    private readonly long[] _batches = new long[Sizes];
    private long _calls;
    private long _records;
    private long _bytes;
    private long _failures;
    private long _laneRecords;
    private long _lanesOffered;
    private long _waitedTicks;

    public AggregatorMetrics(IMeterFactory meters, IRecordEngine engine)
    {
        EngineName = engine.Name;
        var meter = meters.Create("CSsl.Engine");
        var name = new KeyValuePair<string, object?>("engine", engine.Name);
        meter.CreateObservableCounter("cssl.engine.calls", () => new Measurement<long>(Calls, name), "{call}", "Calls of the record engine");
        meter.CreateObservableCounter("cssl.engine.records", () => new Measurement<long>(Records, name), "{record}", "Records that the engine sealed or opened");
        meter.CreateObservableCounter("cssl.engine.data", () => new Measurement<long>(Bytes, name), "By", "Bytes of those records");
        meter.CreateObservableCounter("cssl.engine.failures", () => new Measurement<long>(Failures, name), "{call}", "Calls in which the engine failed");
        _batch = meter.CreateHistogram("cssl.engine.batch", "{record}", "Records per call of the engine", advice: RecordSizes);
        _batchBytes = meter.CreateHistogram("cssl.engine.batch_bytes", "By", "Bytes of records per call of the engine", advice: ByteSizes);
        _laneFill = meter.CreateHistogram("cssl.engine.lane_fill", "1", "Share of the engine's lanes that the CBC records of a call fill", advice: Fills);
        _queueWait = meter.CreateHistogram("cssl.engine.queue_wait", "s", "Time that a link's batch waited because another one was being run; those that did not wait are not counted", advice: Times);
    }

    /// <summary>Name of the engine.</summary>
    public string EngineName { get; }

    /// <summary>Calls of the engine.</summary>
    public long Calls => Volatile.Read(ref _calls);

    /// <summary>Records of all calls.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>Bytes of those, as they are on the wire.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Calls in which the engine failed.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <summary>CBC records, and the lanes that their calls occupied.</summary>
    internal (long Records, long Lanes) LaneUse => (Volatile.Read(ref _laneRecords), Volatile.Read(ref _lanesOffered));

    /// <summary>All that batches have waited.</summary>
    internal TimeSpan Waiting => new(Volatile.Read(ref _waitedTicks));

    /// <summary>Calls by their size: element n counts those of 2^n records or more, and fewer than 2^(n+1).</summary>
    internal long[] Batches() => [.. _batches];

    internal void Ran(ReadOnlySpan<RecordJob> jobs, int lanes)
    {
        var bytes = 0L;
        var laneRecords = 0;
        foreach (ref readonly var job in jobs)
        {
            bytes += job.Bytes;
            if (job.RecordKey is { UsesLanes: true })
                laneRecords++;
        }

        Volatile.Write(ref _calls, _calls + 1);
        Volatile.Write(ref _records, _records + jobs.Length);
        Volatile.Write(ref _bytes, _bytes + bytes);
        _batches[Math.Min(BitOperations.Log2((uint)jobs.Length), Sizes - 1)]++;
        _batch.Record(jobs.Length);
        _batchBytes.Record(bytes);
        if (laneRecords == 0)
            return;

        var occupied = (laneRecords + lanes - 1) / lanes * lanes;
        Volatile.Write(ref _laneRecords, _laneRecords + laneRecords);
        Volatile.Write(ref _lanesOffered, _lanesOffered + occupied);
        _laneFill.Record(laneRecords / (double)occupied);
    }

    internal void Failed() => Interlocked.Increment(ref _failures);

    internal void Waited(TimeSpan time)
    {
        Volatile.Write(ref _waitedTicks, _waitedTicks + time.Ticks);
        _queueWait.Record(time.TotalSeconds);
    }
}
