using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>How long what changed in a report may wait.</summary>
public sealed class ReportChangeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(250);

    private static readonly SiloReport Silo = Reports.Silo("s") with
    {
        Load = new SiloLoad { ProcessCpu = 0.5, MachineCpu = 0.4, CpuAllowance = 2, HandshakesInFlight = 100, Connections = 100, BytesPerSecond = 1e9, ResidentBytes = 200 << 20 },
    };

    private static readonly GatewayReport Gateway = Reports.Gateway("g") with { Connections = 100, ProcessCpu = 0.5, CpuAllowance = 2, Sessions = new SessionCounts() };

    public static TheoryData<SiloReport, TimeSpan?> Silos => new()
    {
        { Silo, null },
        { Silo with { Load = Silo.Load with { ProcessCpu = 0.53, MachineCpu = 0.37, SchedulingDelay = 0.001, BytesPerSecond = 0.95e9, ResidentBytes = 210 << 20 } }, null },
        { Silo with { Load = Silo.Load with { Connections = 101 } }, ReportChange.Renewal },
        { Silo with { Load = Silo.Load with { HandshakesPerSecond = 0.5 } }, ReportChange.Renewal },
        { Silo with { Load = Silo.Load with { Connections = 120 } }, Soon },
        { Silo with { Load = Silo.Load with { MachineCpu = 0.5 } }, Soon },
        { Silo with { Load = Silo.Load with { SchedulingDelay = 0.05 } }, Soon },
        { Silo with { Load = Silo.Load with { HandshakeTime = 0.01 } }, Soon },
        { Silo with { Engine = new EngineLoad { Name = "managed" } }, ReportChange.Urgent },
        { Silo with { Roles = SiloRoles.Data }, ReportChange.Urgent },
        { Silo with { State = SiloState.Drained }, ReportChange.Urgent },
        { Silo with { Trouble = "a key" }, ReportChange.Urgent },
        { Silo with { Order = new SiloOrder { Silo = "s", Version = 1 } }, ReportChange.Urgent },
        { Silo with { Incarnation = new Guid(9, 9, 9, new byte[8]) }, ReportChange.Urgent },
    };

    public static TheoryData<GatewayReport, TimeSpan?> Gateways => new()
    {
        { Gateway with { ProcessCpu = 0.53, Sessions = new SessionCounts() }, null },
        { Gateway with { Connections = 99 }, ReportChange.Renewal },
        { Gateway with { Sessions = new SessionCounts { Moved = 1 } }, ReportChange.Renewal },
        { Gateway with { HandshakePace = 200 }, Soon },
        { Gateway with { HandshakeQueue = 50 }, Soon },
        { Gateway with { State = SiloState.Draining }, ReportChange.Urgent },
    };

    [Theory]
    [MemberData(nameof(Silos))]
    public void Change_of_a_silo_waits_so_long(SiloReport next, TimeSpan? patience)
    {
        Assert.Equal(patience, ReportChange.PatienceFor(Silo, next));
        Assert.Equal(patience, ReportChange.PatienceFor(next, Silo));
    }

    [Theory]
    [MemberData(nameof(Gateways))]
    public void Change_of_a_gateway_waits_so_long(GatewayReport next, TimeSpan? patience)
    {
        Assert.Equal(patience, ReportChange.PatienceFor(Gateway, next));
        Assert.Equal(patience, ReportChange.PatienceFor(next, Gateway));
    }
}
