using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>What is different from one version of the view to a later one.</summary>
[GenerateSerializer, Alias("CSsl.ClusterViewChange")]
public sealed record ClusterViewChange
{
    /// <summary>The version that it changes; on any other it means nothing.</summary>
    [Id(0)] public required ViewVersion From { get; init; }

    /// <summary>The version that it makes.</summary>
    [Id(1)] public required ViewVersion To { get; init; }

    /// <summary>Silos that are new or different.</summary>
    [Id(2)] public IReadOnlyList<SiloReport> Silos { get; init; } = [];

    /// <summary>Names of silos that are gone.</summary>
    [Id(3)] public IReadOnlyList<string> GoneSilos { get; init; } = [];

    /// <summary>Gateways that are new or different.</summary>
    [Id(4)] public IReadOnlyList<GatewayReport> Gateways { get; init; } = [];

    /// <summary>Names of gateways that are gone.</summary>
    [Id(5)] public IReadOnlyList<string> GoneGateways { get; init; } = [];

    /// <summary>See <see cref="ClusterView.Settling"/>.</summary>
    [Id(6)] public bool Settling { get; init; }

    /// <summary>All orders; null: as before.</summary>
    [Id(7)] public IReadOnlyList<SiloOrder>? Orders { get; init; }

    /// <summary>All decisions that are kept; null: as before.</summary>
    [Id(8)] public IReadOnlyList<RoleDecision>? Decisions { get; init; }

    /// <summary>The view after it.</summary>
    /// <param name="view">The view of version <see cref="From"/>.</param>
    public ClusterView Apply(ClusterView view) => view with
    {
        Version = To,
        Silos = Apply(view.Silos, Silos, GoneSilos, static silo => silo.Name),
        Gateways = Apply(view.Gateways, Gateways, GoneGateways, static gateway => gateway.Name),
        Settling = Settling,
        Orders = Orders ?? view.Orders,
        Decisions = Decisions ?? view.Decisions,
    };

    private static IReadOnlyList<T> Apply<T>(IReadOnlyList<T> known, IReadOnlyList<T> changed, IReadOnlyList<string> gone, Func<T, string> nameOf)
    {
        if (changed.Count == 0 && gone.Count == 0)
            return known;
        var next = new SortedDictionary<string, T>(StringComparer.Ordinal);
        foreach (var member in known.Concat(changed))
            next[nameOf(member)] = member;
        foreach (var name in gone)
            next.Remove(name);
        return [.. next.Values];
    }
}
