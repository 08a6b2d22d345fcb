using Orleans;

namespace CSsl.EmbeddedCluster.Calls;

/// <summary>References for one process, whether silo or client.</summary>
internal sealed class GrainFactory(IGrainCaller caller, IServiceProvider services) : IClusterClient
{
    public IServiceProvider ServiceProvider { get; } = services;

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidKey
        => Create<TGrainInterface>(GrainKey.From(primaryKey), grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerKey
        => Create<TGrainInterface>(GrainKey.From(primaryKey), grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey
        => Create<TGrainInterface>(GrainKey.From(primaryKey), grainClassNamePrefix);

    private TGrainInterface Create<TGrainInterface>(GrainKey key, string? grainClassNamePrefix)
        => grainClassNamePrefix is null
            ? GrainProxy.Create<TGrainInterface>(caller, key)
            : throw new NotSupportedException("This engine has one class per grain interface.");
}
