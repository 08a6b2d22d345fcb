using System.Diagnostics.Metrics;

namespace CSsl.Silo.Handshake;

/// <summary>How a lookup of a session ended.</summary>
internal enum ResumptionLookup
{
    Found,

    /// <summary>There is none, or it has expired.</summary>
    Unknown,

    /// <summary>It failed, or took too long.</summary>
    Failed,

    /// <summary>It was not made: one failed a moment ago, or there were too many at once.</summary>
    Skipped,
}

/// <summary>What became of sessions that clients resume by id. Thread-safe.</summary>
internal sealed class ResumptionMetrics
{
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _written;
    private readonly Counter<long> _dropped;

    public ResumptionMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("CSsl.Resumption");
        _lookups = meter.CreateCounter<long>("cssl.resumption.lookups", "{lookup}", "Sessions that clients asked for by id");
        _written = meter.CreateCounter<long>("cssl.resumption.writes", "{write}", "Sessions stored or removed");
        _dropped = meter.CreateCounter<long>("cssl.resumption.drops", "{write}", "Sessions that could not be stored or removed");
    }

    public void LookedUp(ResumptionLookup result) => _lookups.Add(1, new KeyValuePair<string, object?>("result", result));

    public void Written() => _written.Add(1);

    public void Dropped() => _dropped.Add(1);
}
