namespace CSsl.Grains.Data;

/// <summary>JSON of POST /session/end and /session/move.</summary>
public sealed record SessionRequest
{
    public required Guid Id { get; init; }

    /// <summary>The silo to move to.</summary>
    public string? To { get; init; }
}

/// <summary>The answer to it.</summary>
public sealed record SessionResponse
{
    public SessionMove Outcome { get; init; }

    /// <summary>Why not; null when it is done or under way.</summary>
    public string? Error { get; init; }
}
