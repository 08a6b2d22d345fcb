using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Serialization;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>One state of one activation.</summary>
internal sealed class PersistentState<TState>(GrainStorage storage, GrainId grain, string name) : IPersistentState<TState>
{
    public TState State { get; set; } = Activator.CreateInstance<TState>();

    public string? Etag { get; private set; }

    public bool RecordExists { get; private set; }

    public Task ReadStateAsync() => ReadStateAsync(CancellationToken.None);

    public async Task ReadStateAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var stored = await storage.ReadAsync(grain, name);
        State = stored.Payload is null ? Activator.CreateInstance<TState>() : (TState)ContractSerializer.Deserialize(stored.Payload, typeof(TState))!;
        Etag = stored.Etag;
        RecordExists = stored.Payload is not null;
    }

    public Task WriteStateAsync() => WriteStateAsync(CancellationToken.None);

    public async Task WriteStateAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Etag = await storage.WriteAsync(grain, name, ContractSerializer.Serialize(State, typeof(TState)), Etag);
        RecordExists = true;
    }

    public Task ClearStateAsync() => ClearStateAsync(CancellationToken.None);

    public async Task ClearStateAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (Etag is not null)
            Etag = await storage.WriteAsync(grain, name, null, Etag);
        State = Activator.CreateInstance<TState>();
        RecordExists = false;
    }
}
