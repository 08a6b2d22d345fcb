using CSsl.EmbeddedCluster.Calls;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>What an activation needs of its silo.</summary>
internal interface IActivationHost
{
    IServiceProvider Services { get; }

    TimeProvider Time { get; }

    ILogger Log { get; }

    /// <summary>A state of a grain, not yet read: an IPersistentState of <paramref name="state"/>.</summary>
    object CreateState(Type state, GrainId grain, string name);

    /// <inheritdoc cref="Cluster.DirectoryClient.RegisterAsync"/>
    ValueTask<SiloAddress?> RegisterAsync(Activation activation);

    /// <inheritdoc cref="Cluster.DirectoryClient.UnregisterAsync"/>
    ValueTask UnregisterAsync(Activation activation);

    /// <summary>The activation takes no requests any more.</summary>
    void Forget(Activation activation);

    /// <summary>Delivers a request that the activation could not serve, to <paramref name="silo"/> if it is known.</summary>
    void Reroute(Request request, SiloAddress? silo);
}
