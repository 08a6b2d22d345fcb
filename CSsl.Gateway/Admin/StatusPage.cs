using CSsl.Gateway.Connections;
using CSsl.Gateway.Lifecycle;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Admin;

/// <summary>Makes the answer of /status: the cluster as this gateway sees it, itself included, whatever the control plane says.</summary>
internal sealed class StatusPage(ClusterViewHolder view, GatewayStatus self, RefusalLog refusals, IOptions<ClusterOptions> cluster)
{
    /// <summary>The cluster now.</summary>
    public ClusterStatus Show()
    {
        var current = view.Current;
        var own = self.Last;
        var gateways = current.Gateways.Where(gateway => gateway.Name != own.Name).Append(own).OrderBy(static gateway => gateway.Name, StringComparer.Ordinal);
        var desired = new DesiredState(current);
        ProcessStatus[] processes = [.. gateways.Select(Show), .. current.Silos.Select(silo => Show(silo, desired))];
        return new ClusterStatus
        {
            ClusterId = cluster.Value.Id,
            Processes = processes,
            Decisions = [.. current.Decisions.Select(Show)],
            Refusals = refusals.Recent(),
        };
    }

    private static ProcessStatus Show(GatewayReport gateway) => new()
    {
        Name = gateway.Name,
        Pid = gateway.ProcessId,
        Kind = "gateway",
        State = gateway.State.ToString(),
        Connections = gateway.Connections,
        Sessions = gateway.Sessions,
        HandshakesPerSecond = gateway.HandshakesPerSecond,
        BytesPerSecond = gateway.BytesPerSecond,
        RecordsPerSecond = gateway.RecordsPerSecond,
        Cpu = gateway.ProcessCpu,
        MachineCpu = gateway.MachineCpu,
        Handshakes = gateway.HandshakesInFlight,
        HandshakeQueue = gateway.HandshakeQueue,
        HandshakePace = gateway.HandshakePace,
        ResidentBytes = gateway.ResidentBytes,
        StartedAt = gateway.StartedAt,
    };

    private static ProcessStatus Show(SiloReport silo, DesiredState desired) => new()
    {
        Name = silo.Name,
        Pid = silo.ProcessId,
        Kind = "silo",
        Roles = Names(silo.Roles),
        DesiredRoles = Names(desired.RolesOf(silo)),
        Drains = desired.Drains(silo),
        Mode = desired.ModeOf(silo).ToString(),
        Trouble = silo.Trouble,
        OrderVersion = silo.Order?.Version ?? 0,
        State = silo.State.ToString(),
        Connections = silo.Load.Connections,
        HandshakesPerSecond = silo.Load.HandshakesPerSecond,
        BytesPerSecond = silo.Load.BytesPerSecond,
        RecordsPerSecond = silo.Load.RecordsPerSecond,
        Engine = silo.Engine,
        Cpu = silo.Load.ProcessCpu,
        MachineCpu = silo.Load.MachineCpu,
        Handshakes = silo.Load.HandshakesInFlight,
        HandshakeQueue = silo.Load.HandshakeQueue,
        HandshakeTime = silo.Load.HandshakeTime,
        ResidentBytes = silo.Load.ResidentBytes,
        StartedAt = silo.StartedAt,
    };

    private static DecisionStatus Show(RoleDecision decision) => new()
    {
        At = decision.At,
        Silo = decision.Silo,
        From = Names(decision.From),
        To = Names(decision.To),
        By = decision.By.ToString(),
        Reason = decision.Reason,
    };

    private static string[] Names(SiloRoles roles) => [.. Enum.GetValues<SiloRoles>().Where(role => role != SiloRoles.None && roles.HasFlag(role)).Select(static role => role.ToString())];
}
