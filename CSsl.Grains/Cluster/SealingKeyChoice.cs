namespace CSsl.Grains.Cluster;

/// <summary>Which sealing key the cluster seals under: one that every silo has, so that whatever one seals any other opens (docs/adr/0014). A pure function.</summary>
/// <remarks>
/// The silos that decide are those that have the key in use: one that lacks it can't open what is sealed already, and is the one at fault. Of the keys that all of those have, each silo
/// votes for the first in its ring, which is the newest; the most votes win, at a tie the key in use, then the lowest name.
/// So a rotation takes effect when the last silo has the new key and most have it first, and no silo that joins with an old ring takes the cluster back.
/// </remarks>
internal static class SealingKeyChoice
{
    /// <summary>The most characters of a <see cref="SiloReport.SealingKeys"/>: 17 names of 49 characters.</summary>
    public const int MaxLength = 17 * 50;

    /// <summary>The key to seal under from now on.</summary>
    /// <param name="current">The name of the key in use; null: none yet.</param>
    /// <param name="silos">Every silo that lives.</param>
    /// <param name="isSettling">Some may be missing in <paramref name="silos"/>: a key in use stays, and if none is, it is the oldest that is everybody's, which those have too.</param>
    public static string? Next(string? current, IEnumerable<SiloReport> silos, bool isSettling)
    {
        var rings = silos.Where(static silo => silo.SealingKeys.Length > 0).GroupBy(static silo => silo.SealingKeys)
            .Select(static silos => (Keys: silos.Key.Split(','), Silos: silos.Count())).ToList();
        if (rings.Count == 0 || (isSettling && current is not null))
            return current;

        var deciding = rings.FindAll(ring => ring.Keys.Contains(current));
        if (deciding.Count == 0)
            deciding = rings;
        var common = deciding.Skip(1).Aggregate(deciding[0].Keys.ToHashSet(), static (common, ring) =>
        {
            common.IntersectWith(ring.Keys);
            return common;
        });

        // Nobody has the key in use, and no key is everybody's: whoever has not the one that most have is at fault.
        if (common.Count == 0)
            return Most(rings.SelectMany(static ring => ring.Keys.Select(key => (key, ring.Silos))), current);
        if (isSettling)
            return deciding[0].Keys.Last(common.Contains);
        return Most(deciding.Select(ring => (ring.Keys.First(common.Contains), ring.Silos)), current);
    }

    private static string Most(IEnumerable<(string Key, int Silos)> votes, string? current) => votes.GroupBy(static vote => vote.Key)
        .OrderByDescending(static votes => votes.Sum(static vote => vote.Silos))
        .ThenByDescending(votes => votes.Key == current)
        .ThenBy(static votes => votes.Key, StringComparer.Ordinal)
        .First().Key;
}
