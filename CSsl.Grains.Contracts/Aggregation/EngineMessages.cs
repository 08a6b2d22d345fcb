namespace CSsl.Grains.Aggregation;

/// <summary>What <c>POST /engines/settings</c> of a gateway's admin endpoint takes, as JSON (camelCase names); what <c>cssl engine</c> sends. What is missing stays as it is.</summary>
public sealed record EngineRequest
{
    /// <summary>The silo's name; null: all that can have the data role.</summary>
    public string? Silo { get; init; }

    /// <inheritdoc cref="AggregationChange.RecordsPerCall"/>
    public int? RecordsPerCall { get; init; }

    /// <inheritdoc cref="AggregationChange.MaxDelay"/>
    public TimeSpan? MaxDelay { get; init; }
}

/// <summary>What it answers, and <c>GET /engines</c> (<c>?silo=NAME</c> for one): 200, or 400, 404 (no such silo), 503 (a silo did not answer).</summary>
public sealed record EngineResponse
{
    /// <summary>One line for each silo that was asked.</summary>
    public IReadOnlyList<SiloEngine> Engines { get; init; } = [];

    /// <summary>Why nobody was asked, in one line; else null.</summary>
    public string? Error { get; init; }
}

/// <summary>What a silo said of its engine.</summary>
/// <param name="Silo">Its name.</param>
/// <param name="Status">What it said; null when it did not answer.</param>
/// <param name="Error">Why it did not; else null.</param>
public sealed record SiloEngine(string Silo, AggregationStatus? Status, string? Error);
