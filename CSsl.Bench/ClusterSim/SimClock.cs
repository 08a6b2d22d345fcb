namespace CSsl.Bench.ClusterSim;

/// <summary>The simulation's time, as the picker reads it.</summary>
internal sealed class SimClock : TimeProvider
{
    /// <summary>Seconds since the start.</summary>
    public double Now { get; set; }

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => (long)(Now * 1e9);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(Now);
}
