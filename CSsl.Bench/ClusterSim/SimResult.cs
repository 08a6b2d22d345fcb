namespace CSsl.Bench.ClusterSim;

/// <summary>One moment of a simulation, over the last half second.</summary>
/// <param name="At">Seconds.</param>
/// <param name="HandshakeSilos">Silos with the handshake role.</param>
/// <param name="DataSilos">Silos with the data role.</param>
/// <param name="HandshakeLoad">Mean utilisation of the handshake silos.</param>
/// <param name="DataLoad">Mean utilisation of the data silos.</param>
/// <param name="HandshakeImbalance">The busiest handshake silo's utilisation by the mean.</param>
/// <param name="DataImbalance">The busiest data silo's.</param>
/// <param name="Wait">99th percentile of the handshakes' wait in seconds.</param>
/// <param name="Slowdown">Mean time of the downloads that ended, by what their clients alone would have taken.</param>
internal sealed record Sample(
    double At, int HandshakeSilos, int DataSilos, double HandshakeLoad, double DataLoad, double HandshakeImbalance, double DataImbalance, double Wait, double Slowdown);

/// <summary>What became of a cluster in a scenario.</summary>
internal sealed record SimResult(Scenario Scenario, int Silos, IReadOnlyList<Sample> Samples)
{
    /// <summary>When a wait of the 99th percentile above this is no good service.</summary>
    public const double GoodWait = 0.1;

    /// <summary>Changes of roles.</summary>
    public int Changes { get; init; }

    /// <summary>From the start of the trouble to the first order, in seconds; null: none.</summary>
    public double? FirstOrder { get; init; }

    /// <summary>From the start of the trouble to the first work that a silo did in its new role.</summary>
    public double? FirstEffect { get; init; }

    public long Handshakes { get; init; }

    public long Downloads { get; init; }

    /// <summary>No silo was to be had.</summary>
    public long Refused { get; init; }

    /// <summary>Handshakes and downloads that went on at another silo after a crash.</summary>
    public long Moved { get; init; }

    /// <summary>Useful CPU by offered CPU.</summary>
    public double Efficiency { get; init; }

    /// <summary>CPU of the cluster grain, in cores.</summary>
    public double GrainCores { get; init; }

    /// <summary>Real seconds that the simulation took.</summary>
    public double Took { get; init; }

    /// <summary>Before the trouble, and settled.</summary>
    public IEnumerable<Sample> Steady => Samples.Where(sample => sample.At > 2 && (sample.At < Scenario.From || Scenario is { Storm: 0, Flood: 0, CrashRate: 0 }));

    public double HandshakeImbalance => Steady.Select(static sample => sample.HandshakeImbalance).DefaultIfEmpty(0).Average();

    public double DataImbalance => Steady.Select(static sample => sample.DataImbalance).DefaultIfEmpty(0).Average();

    /// <summary>The worst half second's wait while it lasted.</summary>
    public double WorstWait => Samples.Where(sample => sample.At > Scenario.From).Max(static sample => sample.Wait);

    public double WorstSlowdown => Samples.Where(sample => sample.At > Scenario.From).Max(static sample => sample.Slowdown);

    /// <summary>From the start of the trouble until handshakes don't wait and downloads are not slow any more, for as long as it lasts; null: never.</summary>
    public double? Rebalanced
    {
        get
        {
            var during = Samples.Where(sample => sample.At > Scenario.From && sample.At <= Scenario.To).ToList();
            var lastBad = during.FindLastIndex(static sample => sample.Wait > GoodWait || sample.Slowdown > 1.25);
            return lastBad == during.Count - 1 ? null : lastBad < 0 ? 0 : during[lastBad + 1].At - Scenario.From;
        }
    }
}
