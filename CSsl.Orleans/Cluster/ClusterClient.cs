using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>A process that calls grains and has none.</summary>
internal sealed class ClusterClient : IHostedService, IGrainCaller
{
    public ClusterClient(IServiceProvider services) => Client = new GrainFactory(this, services);

    public IClusterClient Client { get; }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<object?> InvokeAsync(GrainCall call) => Task.FromException<object?>(new SiloUnavailableException($"{call}: no silo of the cluster is known."));
}
