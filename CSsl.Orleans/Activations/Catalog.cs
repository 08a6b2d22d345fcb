using System.Collections.Concurrent;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Storage;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>The activations of this silo.</summary>
internal sealed class Catalog(IServiceProvider services, GrainStorage storage, TimeProvider time, ILogger log, DirectoryClient directory) : IActivationHost
{
    private readonly ConcurrentDictionary<GrainId, Activation> _activations = new();

    public IServiceProvider Services => services;

    public TimeProvider Time => time;

    public ILogger Log => log;

    /// <summary>Takes the requests that an activation could not serve, and the silo that has its grain, if that is known.</summary>
    public Action<Request, SiloAddress?> Rerouter { get; set; } = null!;

    public int Count => _activations.Count;

    public bool TryDeliver(GrainId id, Request request) => _activations.TryGetValue(id, out var activation) && activation.TryEnqueue(request);

    /// <summary>Gives the request to the grain's activation here, which is made if there is none.</summary>
    public void Deliver(GrainClass grainClass, GrainId id, Request request)
    {
        Activation activation;
        do
        {
            activation = _activations.GetOrAdd(id, static (id, state) => new Activation(state.Class, id, state.Host), (Class: grainClass, Host: this));

            // One that is gone but not yet forgotten makes room.
            if (activation.TryEnqueue(request))
                return;
            Forget(activation);
        }
        while (true);
    }

    /// <summary>The activations whose claims hold, and whose keys <paramref name="owner"/> owns.</summary>
    public IReadOnlyList<(GrainId Grain, Location Location)> Claims(SiloAddress owner, ClusterSnapshot view, SiloAddress self)
        => [.. _activations.Values.Where(a => a.IsRegistered && owner.Equals(view.OwnerOf(a.Key))).Select(a => (a.Id, new Location(self, a.Number)))];

    /// <summary>Deactivates an activation that another one of the same grain has overruled.</summary>
    public void Evict(GrainId id, long number)
    {
        if (_activations.TryGetValue(id, out var activation) && activation.Number == number)
            activation.Deactivate(new DeactivationReason(DeactivationReasonCode.DuplicateActivation, "Another silo has the grain."));
    }

    /// <summary>Deactivates what is idle for <paramref name="age"/>, until canceled.</summary>
    public async Task CollectAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(age / 4, time);
        using var stop = cancellationToken.UnsafeRegister(static t => ((PeriodicTimer)t!).Dispose(), timer);
        while (await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false))
        {
            foreach (var activation in _activations.Values)
                activation.CollectIfIdle(age);
        }
    }

    public async Task DeactivateAllAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        while (!_activations.IsEmpty)
        {
            var all = _activations.Values.ToArray();
            foreach (var activation in all)
                activation.Deactivate(reason, cancellationToken);
            await Task.WhenAll(all.Select(static a => a.Deactivated)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public object CreateState(Type state, GrainId grain, string name)
        => Activator.CreateInstance(typeof(PersistentState<>).MakeGenericType(state), storage, grain, name)!;

    public ValueTask<SiloAddress?> RegisterAsync(Activation activation) => directory.RegisterAsync(activation);

    public ValueTask UnregisterAsync(Activation activation) => directory.UnregisterAsync(activation);

    public void Forget(Activation activation) => _activations.TryRemove(KeyValuePair.Create(activation.Id, activation));

    public void Reroute(Request request, SiloAddress? silo) => Rerouter(request, silo);
}
