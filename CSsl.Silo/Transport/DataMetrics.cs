using System.Diagnostics.Metrics;
using CSsl.Grains.Data;

namespace CSsl.Silo.Transport;

/// <summary>What a silo's data role has done: plain counters, read by the reporter and, when asked, by meters. Thread-safe.</summary>
public sealed class DataMetrics
{
    private long _attached;
    private long _detached;
    private long _recordsSealed;
    private long _bytesSealed;
    private long _recordsOpened;
    private long _bytesOpened;

    public DataMetrics(IMeterFactory meters, SessionTable sessions)
    {
        var meter = meters.Create("CSsl.Data");
        meter.CreateObservableUpDownCounter("cssl.sessions", () => sessions.Count, "{session}", "Sessions that this silo serves");
        meter.CreateObservableCounter("cssl.sessions.attached", () => Volatile.Read(ref _attached), "{session}", "Sessions that were attached");
        meter.CreateObservableCounter("cssl.sessions.detached", () => Volatile.Read(ref _detached), "{session}", "Sessions that ended here");
        meter.CreateObservableCounter("cssl.records.sealed", () => Volatile.Read(ref _recordsSealed), "{record}", "Records sent to clients");
        meter.CreateObservableCounter("cssl.data.sealed", () => Volatile.Read(ref _bytesSealed), "By", "Bytes of records sent to clients");
        meter.CreateObservableCounter("cssl.records.opened", () => Volatile.Read(ref _recordsOpened), "{record}", "Records that came from clients");
        meter.CreateObservableCounter("cssl.data.opened", () => Volatile.Read(ref _bytesOpened), "By", "Bytes of records that came from clients");
    }

    /// <summary>Records in both directions.</summary>
    public long Records => Volatile.Read(ref _recordsSealed) + Volatile.Read(ref _recordsOpened);

    /// <summary>Bytes of records in both directions.</summary>
    public long Bytes => Volatile.Read(ref _bytesSealed) + Volatile.Read(ref _bytesOpened);

    internal void Attached() => Interlocked.Increment(ref _attached);

    internal void Detached() => Interlocked.Increment(ref _detached);

    internal void Sealed(int records, int bytes)
    {
        Interlocked.Add(ref _recordsSealed, records);
        Interlocked.Add(ref _bytesSealed, bytes);
    }

    internal void Opened(int records, int bytes)
    {
        Interlocked.Add(ref _recordsOpened, records);
        Interlocked.Add(ref _bytesOpened, bytes);
    }
}
