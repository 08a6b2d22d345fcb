using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Lifecycle;

/// <summary>What this gateway says about itself.</summary>
internal sealed class GatewayStatus(IOptions<GatewayOptions> options, ConnectionTable connections, HandshakeAdmission admission, GatewayMeters meters, TimeProvider time) : IDisposable
{
    private readonly Guid _incarnation = Guid.NewGuid();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly LastSecond<Sample> _samples = new(time);
    private readonly ProcessLoad _process = new(time);
    private volatile GatewayReport? _last;

    /// <summary>Where the gateway is in its life.</summary>
    public SiloState State { get; set; } = SiloState.Joining;

    /// <summary>The last report; a new one before the first.</summary>
    public GatewayReport Last => _last ?? Measure();

    /// <summary>Makes the next report. Called by the reporter only: rates are over its interval.</summary>
    public GatewayReport Measure()
    {
        var now = new Sample(meters.HandshakesCompleted, meters.BytesPassed, meters.RecordsPassed, meters.Refusals);
        var (then, perSecond) = _samples.Since(now);
        var process = _process.Measure();
        return _last = new GatewayReport
        {
            Name = options.Value.Name,
            Incarnation = _incarnation,
            ProcessId = Environment.ProcessId,
            State = State,
            Connections = connections.Count,
            HandshakesPerSecond = (now.Handshakes - then.Handshakes) * perSecond,
            BytesPerSecond = (now.Bytes - then.Bytes) * perSecond,
            ResidentBytes = process.ResidentBytes,
            StartedAt = _startedAt,
            ProcessCpu = process.Cpu,
            MachineCpu = process.MachineCpu,
            CpuAllowance = process.CpuAllowance,
            SchedulingDelay = process.SchedulingDelay,
            HandshakesInFlight = admission.UnderWay,
            HandshakeQueue = admission.Waiting,
            HandshakePace = admission.Pace is var pace && double.IsFinite(pace) ? pace : null,
            RecordsPerSecond = (now.Records - then.Records) * perSecond,
            Sessions = meters.Sessions.Read(),
            RefusalsPerSecond = (now.Refusals - then.Refusals) * perSecond,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();

    private readonly record struct Sample(long Handshakes, long Bytes, long Records, long Refusals);
}
