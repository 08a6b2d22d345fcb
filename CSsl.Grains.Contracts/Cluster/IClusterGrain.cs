using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>The one holder of the cluster view (key 0). Silos and gateways report twice a second, and get back what they need of it (docs/adr/0009).</summary>
public interface IClusterGrain : IGrainWithIntegerKey
{
    /// <summary>Takes a silo's load and state; returns its part of the view: itself, and what it is to do.</summary>
    [return: Immutable]
    ValueTask<ClusterView> ReportSilo([Immutable] SiloReport report, CancellationToken cancellationToken);

    /// <summary>Takes a gateway's load and state; returns the whole view, which it chooses silos by.</summary>
    [return: Immutable]
    ValueTask<ClusterView> ReportGateway([Immutable] GatewayReport report, CancellationToken cancellationToken);

    /// <summary>Orders a silo to drain, to serve again, or to change its roles, unless that would be a mistake. The silo acts on it when it reports next.</summary>
    [return: Immutable]
    ValueTask<CommandAnswer> Command([Immutable] SiloCommand command, CancellationToken cancellationToken);

    /// <summary>The whole view.</summary>
    [return: Immutable]
    ValueTask<ClusterView> GetView(CancellationToken cancellationToken);
}
