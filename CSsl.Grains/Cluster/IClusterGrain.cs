using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>The one holder of the cluster view (key 0). Silos and gateways report twice a second and get the view back.</summary>
public interface IClusterGrain : IGrainWithIntegerKey
{
    [return: Immutable]
    ValueTask<ClusterView> ReportSilo([Immutable] SiloReport report, CancellationToken cancellationToken);

    [return: Immutable]
    ValueTask<ClusterView> ReportGateway([Immutable] GatewayReport report, CancellationToken cancellationToken);

    /// <summary>Orders a silo to drain, to serve again, or to change its roles, unless that would be a mistake. The silo acts on it when it reports next.</summary>
    [return: Immutable]
    ValueTask<CommandAnswer> Command([Immutable] SiloCommand command, CancellationToken cancellationToken);

    [return: Immutable]
    ValueTask<ClusterView> GetView(CancellationToken cancellationToken);
}
