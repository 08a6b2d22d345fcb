using Orleans;
using Orleans.Runtime;

namespace CSsl.Grains.Data;

/// <summary>
/// A session that is awake (key: session id): an actor beside the connection that serves it, on the same silo. It holds the session's exported TLS
/// parameters, sealed; knows where the session is and whose it is; and ends or moves it. The session's bytes do not travel through it.
/// </summary>
/// <remarks>A session that sleeps has none: it is a capsule at its gateway. <see cref="IClusterSessionsGrain"/> asks gateways.</remarks>
[Alias("CSsl.ISessionGrain")]
public interface ISessionGrain : IGrainWithGuidKey
{
    /// <summary>Called by the silo that serves the session, or is about to. An attach that is not newer than what the grain and its silo know of is refused. An older one that
    /// this silo still serves is stopped before a takeover is granted; nothing else is granted while there is one. An activation that is elsewhere takes what it is told and
    /// migrates to the caller's silo.</summary>
    [Alias("Attached"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<AttachVerdict> Attached([Immutable] AwakeSession session, CancellationToken cancellationToken);

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

    /// <summary>The silo of <see cref="Info"/>, as Orleans knows it.</summary>
    [Id(2)] public SiloAddress? Address { get; init; }

    /// <summary>The gateway says that the silo before was lost, or let go in the middle.</summary>
    [Id(3)] public bool IsTakeover { get; init; }
}

/// <summary>Whether an attach is the only one.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.AttachVerdict")]
public sealed record AttachVerdict
{
    /// <summary>The silo may serve the session.</summary>
    [Id(0)] public bool IsGranted { get; init; }

    /// <summary>An older attach was being served, and was stopped.</summary>
    [Id(1)] public bool HasStoppedAnother { get; init; }

    /// <summary>Number of the client's next record at the one that was stopped: requests in those before it may have been done.</summary>
    [Id(2)] public ulong ClientRecords { get; init; }
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
