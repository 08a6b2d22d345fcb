using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>A TLS 1.2 session that its client can resume by its id on any handshake silo (key: the session id in lower-case hex).</summary>
[Alias("CSsl.IResumptionGrain")]
public interface IResumptionGrain : IGrainWithStringKey
{
    /// <summary>Stores the session.</summary>
    [Alias("Store")]
    ValueTask Store([Immutable] StoredSession session, CancellationToken cancellationToken);

    /// <summary>The sealed session; empty when there is none, or it has expired.</summary>
    [Alias("Find")]
    [return: Immutable]
    ValueTask<ReadOnlyMemory<byte>> Find(CancellationToken cancellationToken);

    /// <summary>Forgets the session: a connection of it ended with a fatal alert (RFC 5246 section 7.2.2).</summary>
    [Alias("Remove")]
    ValueTask Remove(CancellationToken cancellationToken);
}

/// <summary>A session for its grain; nothing in it is secret.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.StoredSession")]
public sealed record StoredSession
{
    /// <summary>A <see cref="Tls.Sessions.ResumableSession"/>, sealed for its purpose and bound to its id.</summary>
    [Id(0)] public required ReadOnlyMemory<byte> Sealed { get; init; }

    /// <summary>From then on it is not resumed.</summary>
    [Id(1)] public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>What is stored of a session.</summary>
[GenerateSerializer, Alias("CSsl.ResumptionState")]
public sealed class ResumptionState
{
    /// <summary>See <see cref="StoredSession.Sealed"/>; empty: none.</summary>
    [Id(0)] public byte[] Sealed { get; set; } = [];

    [Id(1)] public DateTimeOffset ExpiresAt { get; set; }
}
