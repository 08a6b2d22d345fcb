using Orleans;

namespace CSsl.Grains.Data;

/// <summary>
/// Every session of the cluster, awake or asleep: asks the gateways, which have their sockets (any key; the answer is made anew for each call). A gateway that does not answer
/// within two seconds is named, and not waited for.
/// </summary>
[Alias("CSsl.IClusterSessionsGrain")]
public interface IClusterSessionsGrain : IGrainWithIntegerKey
{
    /// <summary>The sessions that a query asks for.</summary>
    [Alias("List"), ResponseTimeout("00:00:05")]
    [return: Immutable]
    ValueTask<SessionList> List([Immutable] SessionQuery query, CancellationToken cancellationToken);

    /// <summary>The session with that id, or none.</summary>
    /// <param name="sessionId">Its id.</param>
    /// <param name="gateway">The gateway that has it, if that is known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    [Alias("Find"), ResponseTimeout("00:00:05")]
    [return: Immutable]
    ValueTask<SessionList> Find(Guid sessionId, string? gateway, CancellationToken cancellationToken);

    /// <summary>Lets a session finish what is under way, and ends it with close_notify. A sleeping one is woken for it.</summary>
    [Alias("End"), ResponseTimeout("00:00:05")]
    [return: Immutable]
    ValueTask<SessionAnswer> End(Guid sessionId, CancellationToken cancellationToken);

    /// <summary>Has a session go on at a data silo. A sleeping one is attached there.</summary>
    [Alias("Move"), ResponseTimeout("00:00:05")]
    [return: Immutable]
    ValueTask<SessionAnswer> Move(Guid sessionId, string silo, CancellationToken cancellationToken);
}

/// <summary>What gateways say to an order for a session.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.SessionAnswer")]
public sealed record SessionAnswer
{
    /// <summary><see cref="SessionMove.Unknown"/> when no gateway that answered has it.</summary>
    [Id(0)] public required SessionMove Outcome { get; init; }

    /// <summary>Gateways that did not answer in time; one of them may have it.</summary>
    [Id(1)] public IReadOnlyList<string> Silent { get; init; } = [];
}
