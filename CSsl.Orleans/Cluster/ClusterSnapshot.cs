using System.Collections.Immutable;
using System.Text;
using CSsl.EmbeddedCluster.Calls;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>One silo in the membership table.</summary>
internal sealed record Member(SiloAddress Address, string Name, SiloStatus Status)
{
    /// <summary>The silo's part of the owner's score.</summary>
    public ulong Hash { get; } = StableHash.Of(Address.ToParsableString());
}

/// <summary>The silos of the cluster as of one version of the membership table.</summary>
internal sealed class ClusterSnapshot(long version, ImmutableArray<Member> members)
{
    private readonly ImmutableArray<Member> _active = [.. members.Where(static m => m.Status == SiloStatus.Active)];

    public static ClusterSnapshot Empty { get; } = new(0, []);

    public long Version { get; } = version;

    /// <summary>The silos that place grains and share the directory.</summary>
    public ImmutableArray<Member> Active => _active;

    /// <summary>The silos that may hold grains: also those that are shutting down.</summary>
    public IEnumerable<Member> Alive => members.Where(static m => m.Status != SiloStatus.Dead);

    public SiloStatus StatusOf(SiloAddress silo) => members.FirstOrDefault(m => m.Address.Equals(silo))?.Status ?? SiloStatus.Dead;

    public bool IsAlive(SiloAddress silo) => StatusOf(silo) != SiloStatus.Dead;

    /// <summary>
    /// The silo that keeps the directory entries of a key, and where a grain without placement of its own is activated; null without an active silo.
    /// By rendezvous hashing: when a silo comes or goes, only the keys that it gets or had change their owner.
    /// </summary>
    public SiloAddress? OwnerOf(GrainKey key)
    {
        var hash = StableHash.Of(key.Text);
        return _active.MaxBy(m => StableHash.Mix(hash ^ m.Hash))?.Address;
    }

    /// <summary>The active silos, the owner of the key first, then the one that would be it without the first, and so on.</summary>
    public IEnumerable<SiloAddress> ByPreference(GrainKey key)
    {
        var hash = StableHash.Of(key.Text);
        return _active.OrderByDescending(m => StableHash.Mix(hash ^ m.Hash)).Select(static m => m.Address);
    }
}

/// <summary>A hash that is the same in every process (string.GetHashCode is not).</summary>
internal static class StableHash
{
    /// <summary>FNV-1a over the UTF-8 bytes.</summary>
    public static ulong Of(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * 1099511628211UL;
        return Mix(hash);
    }

    /// <summary>The finalizer of SplitMix64: every bit of the input changes half of the output.</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}
