namespace CSsl.Hosting.Configuration;

/// <summary>Finds what somebody who misspelt a key may have meant.</summary>
public static class NearestKey
{
    /// <summary>The candidate with the smallest edit distance, if it is near enough to be a misspelling.</summary>
    public static string? Find(string key, IEnumerable<string> candidates)
    {
        string? nearest = null;
        var best = Math.Max(2, key.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(key.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < best)
                (best, nearest) = (distance, candidate);
        }

        return nearest;
    }

    /// <summary>Edit distance with transposition of neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        var beforeLast = new int[b.Length + 1];
        var last = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var row = new int[b.Length + 1];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(substitution, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
            }

            (beforeLast, last) = (last, row);
        }

        return last[b.Length];
    }
}
