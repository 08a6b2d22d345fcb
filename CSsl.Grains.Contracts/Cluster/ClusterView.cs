using Orleans;
using Orleans.Runtime;

namespace CSsl.Grains.Cluster;

/// <summary>What a silo does. Run-time state of a silo, not its type.</summary>
[Flags]
public enum SiloRoles
{
    None = 0,

    /// <summary>Runs handshakes; holds certificate keys.</summary>
    Handshake = 1,

    /// <summary>Encrypts in bulk and proxies to the origin.</summary>
    Data = 2,
}

/// <summary>Where a process is in its life, as the cluster view shows it.</summary>
public enum SiloState
{
    Joining = 0,
    Active = 1,

    /// <summary>Takes nothing new; what is under way goes on.</summary>
    Draining = 2,

    /// <summary>A gateway without a report for longer than the cluster waits. A silo never is: membership says whether it lives.</summary>
    Silent = 3,

    /// <summary>As <see cref="Draining"/>, and nothing is under way any more: it can be stopped.</summary>
    Drained = 4,
}

/// <summary>What a silo has to do, as it reports it. Rates are of the last second.</summary>
[GenerateSerializer, Alias("CSsl.SiloLoad")]
public sealed record SiloLoad
{
    /// <summary>CPU of the process, in cores (1.0 is one core busy).</summary>
    [Id(0)] public double ProcessCpu { get; init; }

    /// <summary>CPU of the machine, 0 to 1.</summary>
    [Id(1)] public double MachineCpu { get; init; }

    /// <summary>Handshakes under way.</summary>
    [Id(2)] public int HandshakesInFlight { get; init; }
    [Id(3)] public double HandshakesPerSecond { get; init; }

    /// <summary>Client connections attached (data role).</summary>
    [Id(4)] public int Connections { get; init; }
    [Id(5)] public double RecordsPerSecond { get; init; }
    [Id(6)] public double BytesPerSecond { get; init; }

    /// <summary>Resident memory in bytes.</summary>
    [Id(7)] public long ResidentBytes { get; init; }

    /// <summary>Steps of handshakes that wait for a lane or are in one.</summary>
    [Id(8)] public int HandshakeQueue { get; init; }

    /// <summary>From a step's arrival to its answer, in seconds: the mean since the last report.</summary>
    [Id(9)] public double HandshakeTime { get; init; }

    /// <summary>Cores that the process may use at most: the machine's, or its control group's quota. 0: unknown.</summary>
    [Id(10)] public double CpuAllowance { get; init; }

    /// <summary>How late the process gets to work that is due, in seconds: the mean since the last report.</summary>
    [Id(11)] public double SchedulingDelay { get; init; }

    /// <summary>The share of its CPU that the process uses, 0 to 1.</summary>
    public double Utilisation => CpuPressure.Utilisation(ProcessCpu, CpuAllowance, MachineCpu);

    /// <inheritdoc cref="CpuPressure.Of"/>
    public double Pressure => CpuPressure.Of(Utilisation, SchedulingDelay);
}

/// <summary>A silo's report about itself.</summary>
[GenerateSerializer, Alias("CSsl.SiloReport")]
public sealed record SiloReport
{
    [Id(0)] public required string Name { get; init; }

    /// <summary>Tells one run of a silo from the next of the same name.</summary>
    [Id(1)] public required Guid Incarnation { get; init; }
    [Id(2)] public required int ProcessId { get; init; }

    /// <summary>host:port of its data link listener.</summary>
    [Id(3)] public required string LinkEndpoint { get; init; }
    [Id(4)] public required SiloRoles Roles { get; init; }
    [Id(5)] public required SiloState State { get; init; }
    [Id(6)] public required SiloLoad Load { get; init; }
    [Id(7)] public required DateTimeOffset StartedAt { get; init; }

    /// <summary>What it does when nothing else is ordered: Silo:Roles.</summary>
    [Id(8)] public SiloRoles StartRoles { get; init; }

    /// <summary>What it could do: it has certificates, it has routes.</summary>
    [Id(9)] public SiloRoles CapableRoles { get; init; }

    /// <summary>Who decides about its roles.</summary>
    [Id(10)] public RoleMode Mode { get; init; }

    /// <summary>The order that it acts on; null when it has none.</summary>
    [Id(11)] public SiloOrder? Order { get; init; }

    /// <summary>Why it can't do what it was ordered; null when it can.</summary>
    [Id(12)] public string? Trouble { get; init; }

    /// <summary>Its record engine; null for a silo that has never had the data role.</summary>
    [Id(13)] public EngineLoad? Engine { get; init; }

    /// <summary>What Orleans's membership knows it by.</summary>
    [Id(14)] public required SiloAddress Address { get; init; }
}

/// <summary>What became of a gateway's connections apart from their silos; but for <see cref="Asleep"/> since its start.</summary>
[GenerateSerializer, Alias("CSsl.SessionCounts")]
public sealed record SessionCounts
{
    /// <summary>Connections that no silo has.</summary>
    [Id(0)] public int Asleep { get; init; }

    /// <summary>Fell asleep because nothing happened.</summary>
    [Id(1)] public long Hibernated { get; init; }
    [Id(2)] public long Woken { get; init; }

    /// <summary>Let go by a silo that leaves.</summary>
    [Id(3)] public long Moved { get; init; }

    /// <summary>Served by another silo after the loss of theirs.</summary>
    [Id(4)] public long TakenOver { get; init; }

    /// <summary>Reset because of the loss of theirs.</summary>
    [Id(5)] public long Lost { get; init; }
}

/// <summary>A gateway's report about itself.</summary>
[GenerateSerializer, Alias("CSsl.GatewayReport")]
public sealed record GatewayReport
{
    [Id(0)] public required string Name { get; init; }
    [Id(1)] public required Guid Incarnation { get; init; }
    [Id(2)] public required int ProcessId { get; init; }
    [Id(3)] public required SiloState State { get; init; }
    [Id(4)] public required int Connections { get; init; }
    [Id(5)] public required double HandshakesPerSecond { get; init; }
    [Id(6)] public required double BytesPerSecond { get; init; }
    [Id(7)] public required long ResidentBytes { get; init; }
    [Id(8)] public required DateTimeOffset StartedAt { get; init; }

    /// <summary>CPU of the process, in cores.</summary>
    [Id(9)] public double ProcessCpu { get; init; }

    /// <summary>CPU of the machine, 0 to 1.</summary>
    [Id(10)] public double MachineCpu { get; init; }

    /// <summary>Handshakes under way at silos.</summary>
    [Id(11)] public int HandshakesInFlight { get; init; }

    /// <summary>Clients whose handshake waits for a place.</summary>
    [Id(12)] public int HandshakeQueue { get; init; }
    [Id(13)] public double RecordsPerSecond { get; init; }

    /// <summary>Connections refused, per second.</summary>
    [Id(14)] public double RefusalsPerSecond { get; init; }

    /// <summary>What became of its connections; null from a gateway that does not say.</summary>
    [Id(16)] public SessionCounts? Sessions { get; init; }

    /// <summary>Cores that the process may use at most; 0: unknown.</summary>
    [Id(17)] public double CpuAllowance { get; init; }

    /// <summary>How late the process gets to work that is due, in seconds: the mean since the last report.</summary>
    [Id(18)] public double SchedulingDelay { get; init; }

    /// <summary>Handshakes that may begin per second because CPU is short, here or at the data silos; null: as many as come.</summary>
    [Id(19)] public double? HandshakePace { get; init; }

    /// <summary>The share of its CPU that the process uses, 0 to 1.</summary>
    public double Utilisation => CpuPressure.Utilisation(ProcessCpu, CpuAllowance, MachineCpu);

    /// <inheritdoc cref="CpuPressure.Of"/>
    public double Pressure => CpuPressure.Of(Utilisation, SchedulingDelay);
}

/// <summary>The cluster as one grain knows it, or a silo's part of it; an immutable snapshot that every silo and gateway keeps.</summary>
[GenerateSerializer, Alias("CSsl.ClusterView")]
public sealed record ClusterView
{
    /// <summary>Before the first view of the cluster grain.</summary>
    public static ClusterView Empty { get; } = new();

    /// <summary>Grows with every change of the view, also over activations of the grain.</summary>
    [Id(0)] public ViewVersion Version { get; init; }
    [Id(1)] public IReadOnlyList<SiloReport> Silos { get; init; } = [];
    [Id(2)] public IReadOnlyList<GatewayReport> Gateways { get; init; } = [];

    /// <summary>True while the grain is so young that a process which lives has not reported to it yet.
    /// Who is missing in such a view is not gone (<see cref="ClusterViewHolder"/> keeps it).</summary>
    [Id(3)] public bool Settling { get; init; }

    /// <summary>What silos are to do, by their names.</summary>
    [Id(4)] public IReadOnlyList<SiloOrder> Orders { get; init; } = [];

    /// <summary>The last changes of roles, oldest first.</summary>
    [Id(5)] public IReadOnlyList<RoleDecision> Decisions { get; init; } = [];

    /// <summary>The order for a silo; null when there is none.</summary>
    public SiloOrder? OrderFor(string silo) => Orders.FirstOrDefault(order => order.Silo == silo);
}
