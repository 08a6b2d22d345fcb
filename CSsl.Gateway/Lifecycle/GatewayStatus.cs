using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using CSsl.Grains.Configuration;
using CSsl.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Lifecycle;

/// <summary>What this gateway says about itself.</summary>
internal sealed class GatewayStatus(IOptions<GatewayOptions> options, ConnectionTable connections, HandshakeAdmission admission, GatewayMeters meters, TimeProvider time) : IDisposable
{
    private readonly Guid _incarnation = Guid.NewGuid();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly RateMeter _handshakes = new(time);
    private readonly RateMeter _bytes = new(time);
    private readonly RateMeter _records = new(time);
    private readonly RateMeter _refusals = new(time);
    private readonly ProcessLoad _process = new(time);
    private readonly CpuAllowance _allowance = new();
    private readonly SchedulingDelay _delay = new(time);
    private volatile GatewayReport? _last;

    /// <summary>Where the gateway is in its life.</summary>
    public SiloState State { get; set; } = SiloState.Joining;

    /// <summary>The last report; a new one before the first.</summary>
    public GatewayReport Last => _last ?? Measure();

    /// <summary>Makes the next report. Called by the reporter only: rates are over its interval.</summary>
    public GatewayReport Measure()
    {
        var (processCpu, machineCpu, resident) = _process.Measure();
        return _last = new GatewayReport
        {
            Name = options.Value.Name,
            Incarnation = _incarnation,
            ProcessId = Environment.ProcessId,
            State = State,
            Connections = connections.Count,
            HandshakesPerSecond = _handshakes.Read(meters.HandshakesCompleted),
            BytesPerSecond = _bytes.Read(meters.BytesPassed),
            ResidentBytes = resident,
            StartedAt = _startedAt,
            ProcessCpu = processCpu,
            MachineCpu = machineCpu,
            CpuAllowance = _allowance.Read(),
            SchedulingDelay = _delay.Read(),
            HandshakesInFlight = admission.UnderWay,
            HandshakeQueue = admission.Waiting,
            HandshakePace = admission.Pace is var pace && double.IsFinite(pace) ? pace : null,
            RecordsPerSecond = _records.Read(meters.RecordsPassed),
            Sessions = meters.Sessions.Read(),
            RefusalsPerSecond = _refusals.Read(meters.Refusals),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _delay.Dispose();
}
