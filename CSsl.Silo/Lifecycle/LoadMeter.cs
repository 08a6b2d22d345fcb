using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Grains.Hosting;
using CSsl.Silo.Transport;

namespace CSsl.Silo.Lifecycle;

/// <summary>What this silo has to do: rates over the last second, from its counters. One caller at a time.</summary>
internal sealed class LoadMeter(HandshakeMetrics handshakes, DataMetrics data, SessionTable sessions, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(250);

    private readonly ProcessLoad _process = new(time);
    private readonly CpuAllowance _allowance = new();
    private readonly SchedulingDelay _delay = new(time);
    private (double Cpu, double Machine, long Resident, double StepTime, double Delay, double Allowance) _measured;
    private (long Count, TimeSpan Time) _steps;
    private long _measuredAt;

    private readonly LastSecond<Sample> _samples = new(time);

    public SiloLoad Measure()
    {
        var now = new Sample(handshakes.Completed, data.Records, data.Bytes);
        var (then, seconds) = _samples.Since(now);
        MeasureTimes(time.GetTimestamp());
        return new SiloLoad
        {
            ProcessCpu = _measured.Cpu,
            MachineCpu = _measured.Machine,
            ResidentBytes = _measured.Resident,
            HandshakesInFlight = handshakes.InFlight,
            HandshakesPerSecond = Rate(now.Handshakes - then.Handshakes),
            Connections = sessions.Count,
            RecordsPerSecond = Rate(now.Records - then.Records),
            BytesPerSecond = Rate(now.Bytes - then.Bytes),
            HandshakeQueue = handshakes.StepsUnderWay,
            HandshakeTime = _measured.StepTime,
            CpuAllowance = _measured.Allowance,
            SchedulingDelay = _measured.Delay,
        };

        double Rate(long count) => seconds > 0 ? count / seconds : 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _delay.Dispose();

    /// <summary>Over less than half an interval, as when a change of state is reported at once, CPU and delays are noise: then those of the last report hold.</summary>
    private void MeasureTimes(long now)
    {
        var since = time.GetElapsedTime(_measuredAt, now);
        if (_measuredAt != 0 && since < ShortestInterval)
            return;

        _measuredAt = now;
        var (cpu, machine, resident) = _process.Measure();
        _measured = (cpu, machine, resident, StepTime(since), _delay.Read(), _allowance.Read());
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
