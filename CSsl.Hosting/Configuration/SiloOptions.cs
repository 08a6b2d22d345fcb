using System.ComponentModel.DataAnnotations;
using CSsl.Grains.Cluster;

namespace CSsl.Hosting.Configuration;

/// <summary>The section <c>Silo</c>: who this silo is, what it does, where it listens.</summary>
public sealed class SiloOptions
{
    /// <summary>Name of the section in the configuration.</summary>
    public const string Section = "Silo";

    /// <summary>The silo's name in the cluster; unique among those that live. Letters, digits, '-', '_' and '.'.</summary>
    [ProcessName]
    public string Name { get; set; } = "silo";

    /// <summary>What the silo does when it starts: Handshake, Data, or both.</summary>
    public SiloRoles Roles { get; set; } = SiloRoles.Handshake | SiloRoles.Data;

    /// <summary>Who changes its roles at run time: Fixed, the operator only; Auto, the cluster too, by load.</summary>
    public RoleMode RoleMode { get; set; } = RoleMode.Fixed;

    /// <summary>host:port of the data link listener; port 0 takes a free one.</summary>
    [HostPort]
    public string Link { get; set; } = "127.0.0.1:0";

    /// <summary>host:port at which the other silos' Orleans reaches this one's; gateways take the port after it. Port 0 takes two free ones.</summary>
    [HostPort]
    public string Grains { get; set; } = "127.0.0.1:0";

    /// <summary>host:port of the admin endpoint (HTTP: /livez, /readyz, /healthz, /metrics, /status); port 0 takes a free one.</summary>
    [HostPort]
    public string Admin { get; set; } = "127.0.0.1:0";

    /// <summary>Number of handshake lanes; 0: two per core.</summary>
    [Range(0, 1024)]
    public int Lanes { get; set; }

    /// <summary>After so long without a request, an HTTP/1.1 session sleeps at its gateway and costs this silo nothing; 0: never.</summary>
    public TimeSpan HibernateAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A session that a silo has served for so long gets its grain, by which the cluster finds it; shorter ones cost none.</summary>
    public TimeSpan SessionGrainAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a silo that was asked to stop waits for what is under way.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The number of lanes with the default applied.</summary>
    public int LaneCount => Lanes > 0 ? Lanes : 2 * Environment.ProcessorCount;
}
