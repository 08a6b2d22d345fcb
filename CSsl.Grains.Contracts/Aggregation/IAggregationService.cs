using Orleans;
using Orleans.Services;

namespace CSsl.Grains.Aggregation;

/// <summary>
/// The aggregation of one silo, for the rest of the cluster: what its record engine does, and how records are put together for it. Records themselves
/// never come this way: the silo's links call the aggregator.
/// </summary>
[Alias("CSsl.IAggregationService")]
public interface IAggregationService : IGrainService
{
    /// <summary>Its settings, and what it has done since the silo started.</summary>
    [Alias("Show"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<AggregationStatus> Show(CancellationToken cancellationToken);

    /// <summary>Changes its settings, until the silo is started again.</summary>
    /// <returns>What they are now.</returns>
    /// <exception cref="ArgumentOutOfRangeException">They can't be that: nothing is changed.</exception>
    [Alias("Change"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<AggregationStatus> Change([Immutable] AggregationChange change, CancellationToken cancellationToken);
}

/// <summary>The way to a silo's <see cref="IAggregationService"/> for those who are no silos, such as gateways (key: the silo's name).</summary>
[Alias("CSsl.IAggregationGrain")]
public interface IAggregationGrain : IGrainWithStringKey
{
    /// <inheritdoc cref="IAggregationService.Show"/>
    [Alias("Show"), ResponseTimeout("00:00:03")]
    [return: Immutable]
    ValueTask<AggregationStatus> Show(CancellationToken cancellationToken);

    /// <inheritdoc cref="IAggregationService.Change"/>
    [Alias("Change"), ResponseTimeout("00:00:03")]
    [return: Immutable]
    ValueTask<AggregationStatus> Change([Immutable] AggregationChange change, CancellationToken cancellationToken);
}

/// <summary>What is to be changed; what is null stays as it is.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.AggregationChange")]
public sealed record AggregationChange
{
    /// <summary>The most that <see cref="RecordsPerCall"/> can be.</summary>
    public const int MostRecordsPerCall = 65_536;

    /// <summary>The most that <see cref="MaxDelay"/> can be, as the text of a <see cref="TimeSpan"/>.</summary>
    public const string LongestDelay = "00:00:00.01";

    /// <summary>The most records that one engine call seals or opens; at least 1.</summary>
    [Id(0)] public int? RecordsPerCall { get; init; }

    /// <summary>How long a call that would leave lanes of the engine empty waits for more records; zero: it doesn't wait.</summary>
    [Id(1)] public TimeSpan? MaxDelay { get; init; }

    /// <summary>Why it can't be, in one line; null when it can.</summary>
    public string? Problem() => (RecordsPerCall, MaxDelay) switch
    {
        ( < 1 or > MostRecordsPerCall, _) => $"records per call must be from 1 to {MostRecordsPerCall}, not {RecordsPerCall}",
        (_, { } delay) when delay < TimeSpan.Zero || delay > TimeSpan.Parse(LongestDelay, System.Globalization.CultureInfo.InvariantCulture)
            => $"the delay must be from 0 to 10 ms, not {delay.TotalMilliseconds} ms",
        _ => null,
    };
}

/// <summary>How a silo aggregates, and what it has done since it started.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.AggregationStatus")]
public sealed record AggregationStatus
{
    /// <summary>The engine's name: "managed", "ipsec-mb 1.3.0 (AVX512)".</summary>
    [Id(0)] public required string Engine { get; init; }

    /// <summary>Records that the engine works at side by side.</summary>
    [Id(1)] public required int Lanes { get; init; }

    /// <inheritdoc cref="AggregationChange.RecordsPerCall"/>
    [Id(2)] public required int RecordsPerCall { get; init; }

    /// <inheritdoc cref="AggregationChange.MaxDelay"/>
    [Id(3)] public required TimeSpan MaxDelay { get; init; }

    /// <summary>Calls of the engine.</summary>
    [Id(4)] public long Calls { get; init; }

    /// <summary>Records of all calls.</summary>
    [Id(5)] public long Records { get; init; }

    /// <summary>Bytes of those, as they are on the wire.</summary>
    [Id(6)] public long Bytes { get; init; }

    /// <summary>Calls in which the engine failed.</summary>
    [Id(7)] public long Failures { get; init; }

    /// <summary>Calls by their size: element n counts those of 2^n records or more, and fewer than 2^(n+1).</summary>
    [Id(8)] public IReadOnlyList<long> Batches { get; init; } = [];
}
