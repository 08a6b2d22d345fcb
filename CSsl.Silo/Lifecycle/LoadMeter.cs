using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Grains.Handshake;
using CSsl.Silo.Transport;

namespace CSsl.Silo.Lifecycle;

/// <summary>What this silo has to do: rates over the last second, from its counters. One caller at a time.</summary>
internal sealed class LoadMeter(HandshakeMetrics handshakes, DataMetrics data, SessionTable sessions, TimeProvider time)
{
    private readonly ProcessLoad _process = new(time);

    // The counters as they were at the last few reports, so that a rate is of a second though reports are twice as frequent.
    private readonly Queue<Sample> _samples = new();

    public SiloLoad Measure()
    {
        var now = new Sample(time.GetTimestamp(), handshakes.Completed, data.Records, data.Bytes);
        var then = _samples.TryPeek(out var oldest) ? oldest : now;
        _samples.Enqueue(now);
        while (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().Timestamp, now.Timestamp) >= TimeSpan.FromSeconds(1))
            _samples.Dequeue();

        var seconds = time.GetElapsedTime(then.Timestamp, now.Timestamp).TotalSeconds;
        var (processCpu, machineCpu, resident) = _process.Measure();
        return new SiloLoad
        {
            ProcessCpu = processCpu,
            MachineCpu = machineCpu,
            ResidentBytes = resident,
            HandshakesInFlight = handshakes.InFlight,
            HandshakesPerSecond = Rate(now.Handshakes - then.Handshakes),
            Connections = sessions.Count,
            RecordsPerSecond = Rate(now.Records - then.Records),
            BytesPerSecond = Rate(now.Bytes - then.Bytes),
        };

        double Rate(long count) => seconds > 0 ? count / seconds : 0;
    }

    private readonly record struct Sample(long Timestamp, long Handshakes, long Records, long Bytes);
}
