using Orleans;

namespace CSsl.Grains.Data;

/// <summary>
/// A session that is awake (key: session id), on the silo that got its Attach: makes it findable in the whole cluster.
/// Its bytes do not travel through it.
/// </summary>
public interface IDataGrain : IGrainWithGuidKey
{
    /// <summary>Called by the silo that serves the session, on the grain that it activates beside it.
    /// False: the session moved and the grain was still where it came from; it leaves, call again.</summary>
    ValueTask<bool> Attached([Immutable] DataSessionInfo info, CancellationToken cancellationToken);

    /// <summary>The session left the silo that it was attached to with <paramref name="info"/>; the grain deactivates, unless it was attached again.</summary>
    ValueTask Detached([Immutable] DataSessionInfo info, CancellationToken cancellationToken);

    /// <summary>Where the session is awake and since when; null when it is not.</summary>
    [return: Immutable]
    ValueTask<DataSessionInfo?> Find(CancellationToken cancellationToken);

    /// <summary>Ends the session with close_notify; false when it is not awake.</summary>
    ValueTask<bool> End(CancellationToken cancellationToken);
}

/// <summary>A session that is awake; nothing in it is secret.</summary>
[GenerateSerializer, Immutable]
public sealed record DataSessionInfo
{
    [Id(0)] public required Guid SessionId { get; init; }
    [Id(1)] public required string Silo { get; init; }

    /// <summary>The client's address and port.</summary>
    [Id(2)] public required string Client { get; init; }
    [Id(3)] public required DateTimeOffset AttachedAt { get; init; }
}
