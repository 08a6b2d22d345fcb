namespace CSsl.Bench.Engines;

/// <summary>What one cell of the table was measured to be.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Load">The records.</param>
/// <param name="Rates">Records per second: a series of rounds for each contestant.</param>
/// <param name="OpenSsl">Bytes per second of <c>openssl speed</c>.</param>
internal sealed record EngineResult(EngineCase Suite, EngineLoad Load, IReadOnlyList<double[]> Rates, double OpenSsl)
{
    /// <summary>Plaintext, in 10^9 bytes per second: the median of the rounds.</summary>
    public double GigabytesPerSecond(int contestant) => RecordsPerSecond(contestant) * Load.Size / 1e9;

    public double RecordsPerSecond(int contestant) => Rates[contestant].Median();

    /// <summary>The median over rounds of one contestant's rate divided by another's in the same round.</summary>
    public double Ratio(int contestant, int to) => Rates[contestant].Zip(Rates[to], (mine, theirs) => mine / theirs).Median();
}
