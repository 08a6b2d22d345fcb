using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Hosting;
using CSsl.Silo.Transport;

namespace CSsl.Silo.Lifecycle;

/// <summary>What this silo has to do: rates over the last second, from its counters. One caller at a time.</summary>
internal sealed class LoadMeter(HandshakeMetrics handshakes, DataMetrics data, SessionTable sessions, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(250);

    private readonly LastSecond<Sample> _samples = new(time);
    private readonly ProcessLoad _process = new(time);
    private ProcessUsage _usage;
    private double _stepTime;
    private (long Count, TimeSpan Time) _steps;
    private long _measuredAt;

    public SiloLoad Measure()
    {
        var now = new Sample(handshakes.Completed, data.Records, data.Bytes);
        var (then, perSecond) = _samples.Since(now);
        MeasureTimes(time.GetTimestamp());
        return new SiloLoad
        {
            ProcessCpu = _usage.Cpu,
            MachineCpu = _usage.MachineCpu,
            ResidentBytes = _usage.ResidentBytes,
            HandshakesInFlight = handshakes.InFlight,
            HandshakesPerSecond = (now.Handshakes - then.Handshakes) * perSecond,
            Connections = sessions.Count,
            RecordsPerSecond = (now.Records - then.Records) * perSecond,
            BytesPerSecond = (now.Bytes - then.Bytes) * perSecond,
            HandshakeQueue = handshakes.StepsUnderWay,
            HandshakeTime = _stepTime,
            CpuAllowance = _usage.CpuAllowance,
            SchedulingDelay = _usage.SchedulingDelay,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();

    /// <summary>Over less than half an interval, as when a change of state is reported at once, CPU and delays are noise: then those of the last report hold.</summary>
    private void MeasureTimes(long now)
    {
        var since = time.GetElapsedTime(_measuredAt, now);
        if (_measuredAt != 0 && since < ShortestInterval)
            return;

        _measuredAt = now;
        _usage = _process.Measure();
        _stepTime = StepTime(since);
    }

    /// <summary>The mean in seconds since the last report. When steps wait and none was answered, they have waited since then at least.</summary>
    private double StepTime(TimeSpan sinceLast)
    {
        var (before, now) = (_steps, handshakes.Steps);
        _steps = now;
        if (now.Count > before.Count)
            return (now.Time - before.Time).TotalSeconds / (now.Count - before.Count);
        return handshakes.StepsUnderWay > 0 ? sinceLast.TotalSeconds : 0;
    }

    private readonly record struct Sample(long Handshakes, long Records, long Bytes);
}
