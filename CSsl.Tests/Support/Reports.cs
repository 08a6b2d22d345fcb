using System.Net;
using CSsl.Grains.Cluster;
using Orleans.Runtime;

namespace CSsl.Tests.Support;

/// <summary>Reports of silos and gateways that never were.</summary>
internal static class Reports
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static SiloReport Silo(
        string name,
        SiloRoles roles = SiloRoles.Handshake | SiloRoles.Data,
        SiloState state = SiloState.Active,
        double machineCpu = 0.1,
        Guid? incarnation = null,
        DateTimeOffset? startedAt = null,
        string linkEndpoint = "127.0.0.1:9",
        SiloAddress? address = null)
        => new()
        {
            Name = name,
            Address = address ?? Address(name),
            Incarnation = incarnation ?? new Guid(1, 2, 3, new byte[8]),
            ProcessId = 42,
            LinkEndpoint = linkEndpoint,
            Roles = roles,
            State = state,
            Load = new SiloLoad { MachineCpu = machineCpu },
            StartedAt = startedAt ?? Start,
        };

    /// <summary>That of a silo's run: one of the same name and a later run follows it.</summary>
    public static SiloAddress Address(string name, int run = 1)
        => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1 + (name.Aggregate(0, static (hash, c) => ((hash * 31) + c) & 0x7fff))), run);

    public static GatewayReport Gateway(string name) => new()
    {
        Name = name,
        Incarnation = new Guid(4, 5, 6, new byte[8]),
        ProcessId = 43,
        State = SiloState.Active,
        Connections = 0,
        HandshakesPerSecond = 0,
        BytesPerSecond = 0,
        ResidentBytes = 0,
        StartedAt = Start,
    };

    public static ClusterView View(long version, params SiloReport[] silos) => new() { Version = new ViewVersion(1, version), Silos = silos };
}
