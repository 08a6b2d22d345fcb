namespace CSsl.Bench.ClusterSim;

/// <summary>What things cost, as measured (docs/bench), and what clients are like.</summary>
internal sealed record SimCosts
{
    /// <summary>CPU of a handshake silo for a full TLS 1.3 handshake, in µs.</summary>
    public double FullHandshake { get; init; } = 363;

    /// <summary>CPU of a handshake silo for a resumption, in µs.</summary>
    public double Resumption { get; init; } = 220;

    /// <summary>Share of the handshakes that resume a session.</summary>
    public double ResumedShare { get; init; } = 0.5;

    /// <summary>CPU of a data silo per MB (10^6 bytes) that it proxies and encrypts, in µs.</summary>
    public double PerMegabyte { get; init; } = 1300;

    /// <summary>CPU of the cluster grain's silo for one report and its answer, in µs, and for each silo that a gateway's answer shows.</summary>
    public double GrainCall { get; init; } = 150;

    /// <inheritdoc cref="GrainCall"/>
    public double GrainCallPerSilo { get; init; } = 2;

    /// <summary>MB of a download, in the mean (exponential).</summary>
    public double MeanMegabytes { get; init; } = 10;

    /// <summary>MB per second that a client takes.</summary>
    public double ClientRate { get; init; } = 2.5;

    /// <summary>From the start of a silo to its first report, in seconds.</summary>
    public double StartTime { get; init; } = 0.9;

    /// <summary>CPU seconds of a handshake.</summary>
    public double SecondsOf(Random random) => (random.NextDouble() < ResumedShare ? Resumption : FullHandshake) / 1e6;

    /// <summary>CPU seconds of a handshake in the mean.</summary>
    public double MeanHandshake => ((ResumedShare * Resumption) + ((1 - ResumedShare) * FullHandshake)) / 1e6;

    /// <summary>CPU seconds of a download in the mean.</summary>
    public double MeanDownload => MeanMegabytes * PerMegabyte / 1e6;
}
