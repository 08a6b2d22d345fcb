namespace CSsl.Bench;

/// <summary>What is told of many measurements.</summary>
internal static class Statistics
{
    /// <summary>The middle one, or the mean of the two in the middle.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The value that a share of them, 0 to 1, is not above.</summary>
    /// <param name="sorted">Ascending; at least one.</param>
    /// <param name="share">0.99 for p99.</param>
    public static double Quantile(double[] sorted, double share) => sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
}
