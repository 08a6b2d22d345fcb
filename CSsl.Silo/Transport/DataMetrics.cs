using System.Diagnostics.Metrics;
using CSsl.Grains.Data;
using CSsl.Link;

namespace CSsl.Silo.Transport;

/// <summary>What became of sessions whose silo was lost.</summary>
/// <param name="Sessions">Attached here.</param>
/// <param name="Replayed">Requests served again.</param>
/// <param name="Resumed">Responses whose rest was fetched.</param>
/// <param name="PassedOver">Requests whose response the client had already.</param>
/// <param name="Refused">Requests answered with 502.</param>
internal readonly record struct TakeoverCounts(long Sessions, long Replayed, long Resumed, long PassedOver, long Refused);

/// <summary>What a silo's data role has done: plain counters, read by the reporter and, when asked, by meters. Thread-safe.</summary>
public sealed class DataMetrics
{
    private long _attached;
    private long _detached;
    private long _recordsSealed;
    private long _bytesSealed;
    private long _recordsOpened;
    private long _bytesOpened;
    private long _checkpoints;
    private long _hibernated;
    private long _drained;
    private long _ordered;
    private long _woken;
    private long _moved;
    private long _takenOver;
    private long _unclaimed;
    private long _superseded;
    private long _replayed;
    private long _resumed;
    private long _passedOver;
    private long _refused;

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
        meter.CreateObservableCounter("cssl.sessions.checkpoints", () => Volatile.Read(ref _checkpoints), "{checkpoint}", "Times that a session was quiescent and its gateway was told");
        meter.CreateObservableCounter("cssl.sessions.hibernated", () => Volatile.Read(ref _hibernated), "{session}", "Idle sessions that were let go to sleep at their gateways");
        meter.CreateObservableCounter("cssl.sessions.drained", () => Volatile.Read(ref _drained), "{session}", "Sessions that were let go because this silo drains");
        meter.CreateObservableCounter("cssl.sessions.ordered", () => Volatile.Read(ref _ordered), "{session}", "Sessions that went on at another silo because an operator said so");
        meter.CreateObservableCounter("cssl.sessions.woken", () => Volatile.Read(ref _woken), "{session}", "Sessions that woke up here");
        meter.CreateObservableCounter("cssl.sessions.moved", () => Volatile.Read(ref _moved), "{session}", "Sessions that came from a silo that let them go while the client was sending");
        meter.CreateObservableCounter("cssl.sessions.taken_over", () => Volatile.Read(ref _takenOver), "{session}", "Sessions whose silo was lost");
        meter.CreateObservableCounter("cssl.sessions.unclaimed", () => Volatile.Read(ref _unclaimed), "{session}", "Sessions that were served although their grain could not be reached in time");
        meter.CreateObservableCounter("cssl.sessions.superseded", () => Volatile.Read(ref _superseded), "{session}", "Sessions that were refused or stopped because there is a newer attach of them");
        meter.CreateObservableCounter("cssl.requests.replayed", () => Volatile.Read(ref _replayed), "{request}", "Requests of lost silos that were served again");
        meter.CreateObservableCounter("cssl.requests.resumed", () => Volatile.Read(ref _resumed), "{request}", "Responses of lost silos whose rest was fetched from the origin");
        meter.CreateObservableCounter("cssl.requests.passed_over", () => Volatile.Read(ref _passedOver), "{request}", "Requests of lost silos whose response the client had already");
        meter.CreateObservableCounter("cssl.requests.refused", () => Volatile.Read(ref _refused), "{request}", "Requests of lost silos that were answered with 502, because they may not be done twice");
    }

    /// <summary>Records in both directions.</summary>
    public long Records => Volatile.Read(ref _recordsSealed) + Volatile.Read(ref _recordsOpened);

    internal TakeoverCounts Takeovers => new(
        Volatile.Read(ref _takenOver), Volatile.Read(ref _replayed), Volatile.Read(ref _resumed), Volatile.Read(ref _passedOver), Volatile.Read(ref _refused));

    /// <summary>Bytes of records in both directions.</summary>
    public long Bytes => Volatile.Read(ref _bytesSealed) + Volatile.Read(ref _bytesOpened);

    internal void Attached(AttachCause cause)
    {
        Interlocked.Increment(ref _attached);
        CountCause(cause);
    }

    internal void Detached() => Interlocked.Increment(ref _detached);

    private void CountCause(AttachCause cause)
    {
        switch (cause)
        {
            case AttachCause.Wake:
                Interlocked.Increment(ref _woken);
                break;
            case AttachCause.Move:
                Interlocked.Increment(ref _moved);
                break;
            case AttachCause.Takeover:
                Interlocked.Increment(ref _takenOver);
                break;
            default:
                break;
        }
    }

    internal void CountCheckpoint() => Interlocked.Increment(ref _checkpoints);

    internal void CountDetach(DetachReason reason)
    {
        switch (reason)
        {
            case DetachReason.Idle:
                Interlocked.Increment(ref _hibernated);
                break;
            case DetachReason.Move:
                CountHandOver();
                break;
            default:
                Interlocked.Increment(ref _drained);
                break;
        }
    }

    internal void CountHandOver() => Interlocked.Increment(ref _ordered);

    internal void CountUnclaimed() => Interlocked.Increment(ref _unclaimed);

    internal void CountSuperseded() => Interlocked.Increment(ref _superseded);

    internal void CountReplayed() => Interlocked.Increment(ref _replayed);

    internal void CountResumed() => Interlocked.Increment(ref _resumed);

    internal void CountPassedOver() => Interlocked.Increment(ref _passedOver);

    internal void CountRefused() => Interlocked.Increment(ref _refused);

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
