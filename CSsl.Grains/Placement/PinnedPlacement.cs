using Orleans.GrainDirectory;
using Orleans.Hosting;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.Placement;

namespace CSsl.Grains.Placement;

/// <summary>
/// The grain is on the silo that its key names, up to the first slash ("silo-1", "silo-1/3"), and nowhere else. Since the key says where it is, it has
/// no entry in the grain directory: Orleans deactivates every grain whose entry was kept by a silo that is lost, and asks another silo before it
/// activates one. A pinned grain notices neither.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedPlacementAttribute() : PlacementAttribute(new PinnedPlacement())
{
    /// <inheritdoc/>
    public override void Populate(IServiceProvider services, Type grainClass, GrainType grainType, Dictionary<string, string> properties)
    {
        base.Populate(services, grainClass, grainType, properties);
        properties[WellKnownGrainTypeProperties.GrainDirectory] = PinnedDirectory.Name;
    }
}

/// <summary>See <see cref="PinnedPlacementAttribute"/>.</summary>
public sealed class PinnedPlacement : PlacementStrategy
{
    /// <inheritdoc/>
    public override bool IsUsingGrainDirectory => false;
}

/// <summary>What a silo needs to place pinned grains.</summary>
public static class PinnedPlacementHosting
{
    /// <summary>Lets the silo place grains with <see cref="PinnedPlacementAttribute"/>.</summary>
    public static ISiloBuilder AddPinnedPlacement(this ISiloBuilder builder) => builder
        .AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>()
        .AddGrainDirectory(PinnedDirectory.Name, static (_, _) => new PinnedDirectory());
}

/// <summary>Finds the silo of a key by the names in the membership.</summary>
internal sealed class PinnedPlacementDirector(ISiloStatusOracle silos) : IPlacementDirector
{
    /// <inheritdoc/>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var name = SiloOf(target.GrainIdentity);
        SiloAddress? found = null;
        foreach (var silo in context.GetCompatibleSilos(target))
        {
            if (!silos.TryGetSiloName(silo, out var its) || its != name)
                continue;
            if (silo.Equals(context.LocalSilo))
                return Task.FromResult(silo);

            // One that was started again under its name is known beside its former self for a moment.
            if (found is null || silo.Generation > found.Generation)
                found = silo;
        }

        return found is not null
            ? Task.FromResult(found)
            : Task.FromException<SiloAddress>(new SiloUnavailableException($"There is no silo {name} to place {target.GrainIdentity} on."));
    }

    private static string SiloOf(GrainId grain)
    {
        var key = grain.Key.ToString()!;
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? key : key[..slash];
    }
}

/// <summary>
/// The directory that pinned grains would be entered in: it is empty. Without it, the first call to one would look for it in the directory of all the
/// others, and wait for the silo that keeps that part of it, which may hang.
/// </summary>
internal sealed class PinnedDirectory : IGrainDirectory
{
    /// <summary>Its name among the silo's directories.</summary>
    public const string Name = "pinned";

    /// <inheritdoc/>
    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    /// <inheritdoc/>
    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult<GrainAddress?>(null);

    /// <inheritdoc/>
    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
