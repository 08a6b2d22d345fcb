using System.Diagnostics.Metrics;
using CSsl.Tls;

namespace CSsl.Grains.Handshake;

/// <summary>What the lanes of a silo have done. Written by the lanes, read by the silo's reporter and by meters. Thread-safe.</summary>
public sealed class HandshakeMetrics
{
    private readonly Counter<long> _completedByKind;
    private readonly Counter<long> _failedByReason;
    private long _completed;
    private long _failed;
    private int _inFlight;

    public HandshakeMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("CSsl.Handshake");
        _completedByKind = meter.CreateCounter<long>("cssl.handshakes.completed", "{handshake}", "Handshakes that ended with a session");
        _failedByReason = meter.CreateCounter<long>("cssl.handshakes.failed", "{handshake}", "Handshakes that ended without");
        meter.CreateObservableUpDownCounter("cssl.handshakes.in_flight", () => InFlight, "{handshake}", "Handshakes under way");
    }

    public long Completed => Volatile.Read(ref _completed);

    public long Failed => Volatile.Read(ref _failed);

    public int InFlight => Volatile.Read(ref _inFlight);

    internal void Begin() => Interlocked.Increment(ref _inFlight);

    /// <summary>A handshake left its lane, whatever became of it.</summary>
    internal void End() => Interlocked.Decrement(ref _inFlight);

    internal void Complete(TlsVersion version, CipherSuite suite, bool resumed)
    {
        Interlocked.Increment(ref _completed);
        if (_completedByKind.Enabled)
            _completedByKind.Add(1, new("version", version), new("suite", suite), new("resumed", resumed));
    }

    internal void Fail(HandshakeFailure reason)
    {
        Interlocked.Increment(ref _failed);
        if (_failedByReason.Enabled)
            _failedByReason.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }
}

/// <summary>Why a handshake ended without a session.</summary>
public enum HandshakeFailure
{
    /// <summary>The client broke the protocol, or offered nothing that we accept.</summary>
    Client,

    /// <summary>It did not finish in time.</summary>
    Deadline,

    /// <summary>The lane had as many as it may.</summary>
    LaneFull,

    /// <summary>The connection was lost before the end.</summary>
    Abandoned,

    /// <summary>An error of our own.</summary>
    Internal,
}
