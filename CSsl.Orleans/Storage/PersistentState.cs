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

    public async Task ReadStateAsync()
    {
        var stored = await storage.ReadAsync(grain, name);
        State = stored.Payload is null ? Activator.CreateInstance<TState>() : (TState)ContractSerializer.Deserialize(stored.Payload, typeof(TState))!;
        Etag = stored.Etag;
        RecordExists = stored.Payload is not null;
    }

    public async Task WriteStateAsync()
    {
        Etag = await storage.WriteAsync(grain, name, ContractSerializer.Serialize(State, typeof(TState)), Etag);
        RecordExists = true;
    }

    public async Task ClearStateAsync()
    {
        if (Etag is not null)
            Etag = await storage.WriteAsync(grain, name, null, Etag);
        State = Activator.CreateInstance<TState>();
        RecordExists = false;
    }
}
