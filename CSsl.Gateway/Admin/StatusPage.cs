using CSsl.Gateway.Lifecycle;
using CSsl.Grains.Cluster;
using CSsl.Grains.Configuration;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Admin;

/// <summary>Makes the answer of /status: the cluster as this gateway sees it, itself included, whatever the control plane says.</summary>
internal sealed class StatusPage(ClusterViewHolder view, GatewayStatus self, IOptions<ClusterOptions> cluster)
{
    /// <summary>The cluster now.</summary>
    public ClusterStatus Show()
    {
        var current = view.Current;
        var own = self.Last;
        var gateways = current.Gateways.Where(gateway => gateway.Name != own.Name).Append(own).OrderBy(static gateway => gateway.Name, StringComparer.Ordinal);
        ProcessStatus[] processes = [.. gateways.Select(Show), .. current.Silos.Select(Show)];
        return new ClusterStatus
        {
            ClusterId = cluster.Value.Id,
            Processes = processes,
        };
    }

    private static ProcessStatus Show(GatewayReport gateway) => new()
    {
        Name = gateway.Name,
        Pid = gateway.ProcessId,
        Kind = "gateway",
        State = gateway.State.ToString(),
        Connections = gateway.Connections,
        HandshakesPerSecond = gateway.HandshakesPerSecond,
        BytesPerSecond = gateway.BytesPerSecond,
        ResidentBytes = gateway.ResidentBytes,
        StartedAt = gateway.StartedAt,
    };

    private static ProcessStatus Show(SiloReport silo) => new()
    {
        Name = silo.Name,
        Pid = silo.ProcessId,
        Kind = "silo",
        Roles = [.. Enum.GetValues<SiloRoles>().Where(role => role != SiloRoles.None && silo.Roles.HasFlag(role)).Select(static role => role.ToString())],
        State = silo.State.ToString(),
        Connections = silo.Load.Connections,
        HandshakesPerSecond = silo.Load.HandshakesPerSecond,
        BytesPerSecond = silo.Load.BytesPerSecond,
        ResidentBytes = silo.Load.ResidentBytes,
        StartedAt = silo.StartedAt,
    };
}
