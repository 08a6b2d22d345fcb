using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

public sealed class SealingKeyChoiceTests
{
    /// <summary>The key in use; the silos' rings, newest first; the key of a young grain and of one that knows everybody.</summary>
    public static TheoryData<string?, string, string?, string?> Choices => new()
    {
        // The first key of a cluster.
        { null, "", null, null },
        { null, "k1 k1", "k1", "k1" },
        { null, "k2,k1 k2,k1", "k1", "k2" },
        { null, "k2,k1 k1", "k1", "k1" },

        // A rotation in order: opens everywhere, is the first here and there, the old one is taken out.
        { "k1", "k1 k1,k2 k1", "k1", "k1" },
        { "k1", "k1,k2 k1,k2 k1,k2", "k1", "k1" },
        { "k1", "k2,k1 k1,k2 k1,k2", "k1", "k1" },
        { "k1", "k2,k1 k2,k1 k1,k2", "k1", "k2" },
        { "k2", "k2,k1 k1,k2 k1,k2", "k2", "k1" },
        { "k2", "k2 k2,k1 k2", "k2", "k2" },

        // At once the first, on one silo after the other: not before the last has it.
        { "k1", "k2,k1 k1 k1", "k1", "k1" },
        { "k1", "k2,k1 k2,k1 k1", "k1", "k1" },
        { "k1", "k2,k1 k2,k1 k2,k1", "k1", "k2" },

        // The old one taken out too early: its silo is at fault, until nobody has it any more.
        { "k1", "k2 k1 k1", "k1", "k1" },
        { "k1", "k2 k2 k1", "k1", "k1" },
        { "k1", "k2 k2 k2", "k1", "k2" },

        // One that lacks the key in use does not take the cluster back, nor one with the same id and another key.
        { "k2", "k2,k1 k2,k1 k1", "k2", "k2" },
        { "k1#a", "k1#a k1#b", "k1#a", "k1#a" },

        // Orders that differ: the most votes, then the key in use, then the name.
        { "k1", "k1,k2 k2,k1", "k1", "k1" },
        { "k3", "k1,k2,k3 k2,k1,k3", "k3", "k1" },

        // Nothing in common, and nobody has the key in use: what most have.
        { "k9", "k1 k2 k2", "k9", "k2" },
        { null, "k2 k1", "k1", "k1" },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void Key_is_the_newest_that_all_have_who_can_serve(string? current, string rings, string? young, string? settled)
    {
        var silos = rings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static (ring, i) => Reports.Silo($"s{i}") with { SealingKeys = ring }).ToList();
        Assert.Equal((young, settled), (SealingKeyChoice.Next(current, silos, isSettling: true), SealingKeyChoice.Next(current, silos, isSettling: false)));
    }

    [Fact]
    public void Key_changes_only_to_one_that_everybody_has_who_has_the_one_in_use()
        => Prop.ForAll(Gen.ArrayOf(Gen.Shuffle(["a", "b", "c", "d"]).SelectMany(static keys => Gen.Choose(1, 4).Select(length => string.Join(',', keys.Take(length))))).Where(static rings => rings.Length > 0).ToArbitrary(), static rings =>
        {
            var silos = rings.Select(static (ring, i) => Reports.Silo($"s{i}") with { SealingKeys = ring }).ToList();
            var next = SealingKeyChoice.Next("a", silos, isSettling: false)!;
            var able = rings.Where(static ring => ring.Contains('a', StringComparison.Ordinal)).ToList();
            return able.TrueForAll(ring => ring.Contains(next, StringComparison.Ordinal)) && rings.Any(ring => ring.Contains(next, StringComparison.Ordinal))
                && SealingKeyChoice.Next(next, silos, isSettling: false) is var later && able.TrueForAll(ring => ring.Contains(later!, StringComparison.Ordinal) || next != "a");
        }).QuickCheckThrowOnFailure();
}
