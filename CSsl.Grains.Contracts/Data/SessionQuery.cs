using Orleans;

namespace CSsl.Grains.Data;

/// <summary>Which sessions come first.</summary>
[GenerateSerializer, Alias("CSsl.SessionOrder")]
public enum SessionOrder
{
    /// <summary>The oldest.</summary>
    Age = 0,

    /// <summary>Those with the most bytes, both directions together.</summary>
    Bytes,
}

/// <summary>Which sessions are asked for. Each gateway applies all of it, so that no answer is longer than it needs to be.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.SessionQuery")]
public sealed record SessionQuery
{
    /// <summary>The most sessions in an answer: it fits into one message whatever server names clients send.</summary>
    public const int MaxLimit = 5_000;

    /// <summary>Only those at this silo; null: all.</summary>
    [Id(0)] public string? Silo { get; init; }

    /// <summary>Only those of this address, or of this network ("10.0.0.0/8"); null: all.</summary>
    [Id(1)] public string? Client { get; init; }

    /// <summary>Only those for this server name, in any case; null: all.</summary>
    [Id(2)] public string? ServerName { get; init; }

    [Id(3)] public SessionOrder Order { get; init; }

    /// <summary>At most so many, up to <see cref="MaxLimit"/>.</summary>
    [Id(4)] public int Limit { get; init; } = 100;
}

/// <summary>The sessions of a gateway, or of all of them, that a query asked for.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.SessionList")]
public sealed record SessionList
{
    /// <summary>In the order that was asked for, at most <see cref="SessionQuery.Limit"/>.</summary>
    [Id(0)] public IReadOnlyList<SessionInfo> Sessions { get; init; } = [];

    /// <summary>How many there are.</summary>
    [Id(1)] public int Total { get; init; }

    /// <summary>Gateways that did not answer in time: their sessions are missing.</summary>
    [Id(2)] public IReadOnlyList<string> Silent { get; init; } = [];

    /// <summary>One list of several gateways' lists.</summary>
    public static SessionList Merge(SessionQuery query, IReadOnlyCollection<SessionList> lists, IReadOnlyList<string> silent) => new()
    {
        Sessions = [.. query.Order == SessionOrder.Bytes
            ? lists.SelectMany(static list => list.Sessions).OrderByDescending(static session => session.BytesFromClient + session.BytesToClient).Take(query.Limit)
            : lists.SelectMany(static list => list.Sessions).OrderBy(static session => session.EstablishedAt).Take(query.Limit)],
        Total = lists.Sum(static list => list.Total),
        Silent = silent,
    };
}
