using System.Diagnostics.Metrics;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;

namespace CSsl.Gateway.Metrics;

/// <summary>What becomes of connections apart from their silos.</summary>
internal sealed class SessionMeters
{
    private readonly Counter<long> _lost;
    private readonly Histogram<double> _faultToFirstByte;
    private int _asleep;
    private long _hibernated;
    private long _woken;
    private long _moved;
    private long _takenOver;
    private long _lostTotal;

    public SessionMeters(Meter meter)
    {
        meter.CreateObservableUpDownCounter("cssl.gateway.asleep", () => Volatile.Read(ref _asleep), "{connection}", "Client connections that no silo has");
        meter.CreateObservableCounter("cssl.gateway.hibernated", () => Volatile.Read(ref _hibernated), "{connection}", "Connections that fell asleep because nothing happened");
        meter.CreateObservableCounter("cssl.gateway.woken", () => Volatile.Read(ref _woken), "{connection}", "Connections that woke up");
        meter.CreateObservableCounter("cssl.gateway.moved", () => Volatile.Read(ref _moved), "{connection}", "Connections that a silo let go because it leaves, or while the client was sending");
        meter.CreateObservableCounter("cssl.gateway.taken_over", () => Volatile.Read(ref _takenOver), "{connection}", "Connections whose silo was lost with something under way, and which another one serves");
        _lost = meter.CreateCounter<long>("cssl.gateway.lost", "{connection}", "Connections that were reset because their silo was lost, by cause");
        _faultToFirstByte = meter.CreateHistogram("cssl.gateway.fault_to_first_byte", "s", "From the loss of a silo, when its gateway notices it, to the first byte from another one",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });
    }

    /// <summary>All counters.</summary>
    public SessionCounts Read() => new()
    {
        Asleep = Volatile.Read(ref _asleep),
        Hibernated = Volatile.Read(ref _hibernated),
        Woken = Volatile.Read(ref _woken),
        Moved = Volatile.Read(ref _moved),
        TakenOver = Volatile.Read(ref _takenOver),
        Lost = Volatile.Read(ref _lostTotal),
    };

    public void FallAsleep() => Interlocked.Increment(ref _asleep);

    /// <param name="isForGood">False: it ends.</param>
    public void WakeUp(bool isForGood)
    {
        Interlocked.Decrement(ref _asleep);
        if (isForGood)
            Interlocked.Increment(ref _woken);
    }

    /// <param name="isHibernation">False: the silo leaves, or the client was sending.</param>
    public void CountDetached(bool isHibernation) => Interlocked.Increment(ref isHibernation ? ref _hibernated : ref _moved);

    public void CountTakenOver() => Interlocked.Increment(ref _takenOver);

    /// <summary>A takeover has brought the client a byte.</summary>
    public void RecordFirstByte(TimeSpan sinceFault) => _faultToFirstByte.Record(sinceFault.TotalSeconds);

    /// <param name="cause"><see cref="DataOutcome.NoSilo"/>, <see cref="DataOutcome.NotOpened"/>, <see cref="DataOutcome.TooManyTakeovers"/>, or <see cref="DataOutcome.Aborted"/> by the silo that took over.</param>
    public void CountLost(DataOutcome cause)
    {
        Interlocked.Increment(ref _lostTotal);
        _lost.Add(1, new KeyValuePair<string, object?>("cause", GatewayMeters.LabelOf(cause)));
    }
}
