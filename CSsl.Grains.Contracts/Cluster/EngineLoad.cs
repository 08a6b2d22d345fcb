using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>What a silo's record engine does and how well aggregation feeds it. Rates and means are of the last second.</summary>
[GenerateSerializer, Alias("CSsl.EngineLoad")]
public sealed record EngineLoad
{
    /// <summary>Its name: "managed", "ipsec-mb 1.3.0 (AVX512)".</summary>
    [Id(0)] public required string Name { get; init; }

    [Id(1)] public double CallsPerSecond { get; init; }
    [Id(2)] public double RecordsPerSecond { get; init; }
    [Id(3)] public double BytesPerSecond { get; init; }

    /// <summary>Share of its lanes that the CBC records of a call fill, 0 to 1; 0 when there were none.</summary>
    [Id(4)] public double LaneFill { get; init; }

    /// <summary>Mean time in seconds that a link's batch waited for others; most wait for nobody.</summary>
    [Id(5)] public double QueueWait { get; init; }

    /// <summary>Calls by their size: element n counts those of 2^n records or more, and fewer than 2^(n+1).</summary>
    [Id(6)] public IReadOnlyList<long> Batches { get; init; } = [];

    public double RecordsPerCall => CallsPerSecond > 0 ? RecordsPerSecond / CallsPerSecond : 0;

    public double BytesPerCall => CallsPerSecond > 0 ? BytesPerSecond / CallsPerSecond : 0;
}
