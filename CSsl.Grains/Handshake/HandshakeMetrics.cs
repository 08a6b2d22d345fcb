using System.Diagnostics.Metrics;
using CSsl.Tls;
using CSsl.Tls.Handshake;

namespace CSsl.Grains.Handshake;

/// <summary>What the lanes of a silo have done. Written by the lanes, read by the silo's reporter and by meters. Thread-safe.</summary>
public sealed class HandshakeMetrics
{
    private readonly Counter<long> _completedByKind;
    private readonly Counter<long> _failedByReason;
    private long _completed;
    private long _failed;
    private int _inFlight;
    private int _lanes;
    private int _stepsUnderWay;
    private long _steps;
    private long _stepTicks;

    public HandshakeMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("CSsl.Handshake");
        _completedByKind = meter.CreateCounter<long>("cssl.handshakes.completed", "{handshake}", "Handshakes that ended with a session");
        _failedByReason = meter.CreateCounter<long>("cssl.handshakes.failed", "{handshake}", "Handshakes that ended without, by reason");
        meter.CreateObservableUpDownCounter("cssl.handshakes.in_flight", () => InFlight, "{handshake}", "Handshakes under way");
        meter.CreateObservableUpDownCounter("cssl.handshakes.lanes", () => Lanes, "{lane}", "Lanes that are open: as many as are configured with the handshake role, none without");
    }

    public long Completed => Volatile.Read(ref _completed);

    public long Failed => Volatile.Read(ref _failed);

    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Lanes that are active.</summary>
    public int Lanes => Volatile.Read(ref _lanes);

    /// <summary>Steps that wait for a lane or are in one.</summary>
    public int StepsUnderWay => Volatile.Read(ref _stepsUnderWay);

    /// <summary>Steps that were answered, and the time that they took from their arrival, in all.</summary>
    public (long Count, TimeSpan Time) Steps => (Volatile.Read(ref _steps), TimeSpan.FromTicks(Volatile.Read(ref _stepTicks)));

    /// <summary>A step of a handshake is given to its lane. <see cref="EndStep"/> when it is answered, however.</summary>
    public void BeginStep() => Interlocked.Increment(ref _stepsUnderWay);

    public void EndStep(TimeSpan taken)
    {
        Interlocked.Decrement(ref _stepsUnderWay);
        Interlocked.Increment(ref _steps);
        Interlocked.Add(ref _stepTicks, taken.Ticks);
    }

    internal void OpenLane() => Interlocked.Increment(ref _lanes);

    internal void CloseLane() => Interlocked.Decrement(ref _lanes);

    internal void Begin() => Interlocked.Increment(ref _inFlight);

    /// <summary>A handshake left its lane, whatever became of it.</summary>
    internal void End() => Interlocked.Decrement(ref _inFlight);

    internal void Complete(TlsVersion version, CipherSuite suite, NamedGroup? group, bool resumed)
    {
        Interlocked.Increment(ref _completed);
        if (_completedByKind.Enabled)
            _completedByKind.Add(1, new("version", version), new("suite", suite), new("group", group?.ToString() ?? "none"), new("resumed", resumed));
    }

    internal void Fail(HandshakeFailure reason)
    {
        Interlocked.Increment(ref _failed);
        if (_failedByReason.Enabled)
            _failedByReason.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }
}
