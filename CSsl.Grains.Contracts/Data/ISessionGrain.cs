using Orleans;

namespace CSsl.Grains.Data;

/// <summary>
/// A session that is awake (key: session id): an actor beside the connection that serves it, on the same silo. It holds the session's exported TLS
/// parameters, sealed; knows where the session is and whose it is; and ends or moves it. The session's bytes do not travel through it.
/// </summary>
/// <remarks>A session that sleeps has none: it is a capsule at its gateway. <see cref="IClusterSessionsGrain"/> asks gateways.</remarks>
[Alias("CSsl.ISessionGrain")]
public interface ISessionGrain : IGrainWithGuidKey
{
    /// <summary>Called by the silo that serves the session, with itself as the placement hint of the call. An activation that is still elsewhere takes what it is told and
    /// migrates to the caller's silo.</summary>
    [Alias("Attached"), ResponseTimeout("00:00:02")]
    ValueTask Attached([Immutable] AwakeSession session, CancellationToken cancellationToken);

    /// <summary>The session left the silo that it was attached to with <paramref name="info"/>; the grain deactivates, unless it was attached again.</summary>
    [Alias("Detached"), ResponseTimeout("00:00:02")]
    ValueTask Detached([Immutable] SessionInfo info, CancellationToken cancellationToken);

    /// <summary>The session, where it is awake and since when; null when it is not.</summary>
    [Alias("Find"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<SessionInfo?> Find(CancellationToken cancellationToken);

    /// <summary>Lets the session finish what is under way, and ends it with close_notify; false when it is not awake.</summary>
    [Alias("End"), ResponseTimeout("00:00:02")]
    ValueTask<bool> End(CancellationToken cancellationToken);

    /// <summary>Moves the session to another data silo.</summary>
    [Alias("Move"), ResponseTimeout("00:00:02")]
    ValueTask<SessionMove> Move(string silo, CancellationToken cancellationToken);
}

/// <summary>A session for its grain.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.AwakeSession")]
public sealed record AwakeSession
{
    [Id(0)] public required SessionInfo Info { get; init; }

    /// <summary>The exported TLS parameters as of the attach or the last checkpoint that changed them: sealed, never in the clear.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Capsule { get; init; }
}

/// <summary>What becomes of the order to move a session.</summary>
[GenerateSerializer, Alias("CSsl.SessionMove")]
public enum SessionMove
{
    /// <summary>Nobody knows it.</summary>
    Unknown = 0,

    /// <summary>It is on its way.</summary>
    UnderWay,

    /// <summary>It moves as soon as what is under way is done.</summary>
    AtCheckpoint,

    /// <summary>It is there.</summary>
    AlreadyThere,

    /// <summary>HTTP/2: its state is in its silo, and it has no checkpoints.</summary>
    Http2,

    /// <summary>It speaks another protocol since an Upgrade, such as WebSocket: its state is in its silo.</summary>
    Upgraded,
}
