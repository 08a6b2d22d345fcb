using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>Keeps the cluster view. Nothing is persisted: a new activation knows everybody again within half a second.</summary>
public sealed class ClusterGrain(TimeProvider time) : Grain, IClusterGrain
{
    private readonly ClusterRoster _roster = new(time);

    /// <inheritdoc/>
    public ValueTask<ClusterView> ReportSilo(SiloReport report, CancellationToken cancellationToken)
    {
        _roster.Report(report);
        return ValueTask.FromResult(_roster.View());
    }

    /// <inheritdoc/>
    public ValueTask<ClusterView> ReportGateway(GatewayReport report, CancellationToken cancellationToken)
    {
        _roster.Report(report);
        return ValueTask.FromResult(_roster.View());
    }

    /// <inheritdoc/>
    public ValueTask<ClusterView> GetView(CancellationToken cancellationToken) => ValueTask.FromResult(_roster.View());
}
