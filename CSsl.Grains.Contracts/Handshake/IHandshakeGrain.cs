using CSsl.Tls;
using CSsl.Tls.Handshake;
using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>
/// One lane of a handshake silo (key "silo/lane"): runs the handshakes of many connections, one turn at a time. It is on the silo that its key names,
/// from the moment that the silo gets the handshake role until it has let go of it, and only ever called from there.
/// </summary>
[Alias("CSsl.IHandshakeGrain")]
public interface IHandshakeGrain : IGrainWithStringKey
{
    /// <summary>Activates the lane: the silo has the handshake role.</summary>
    [Alias("Open"), ResponseTimeout(AtOnce)]
    ValueTask Open(CancellationToken cancellationToken);

    /// <summary>Feeds whole records of one connection; the first call for a connection id starts its handshake, and has its whole ClientHello. One call in flight per connection.</summary>
    [Alias("Advance"), ResponseTimeout(Turn)]
    [return: Immutable]
    ValueTask<HandshakeAnswer> Advance([Immutable] HandshakeRequest request, CancellationToken cancellationToken);

    /// <summary>Goes on with a handshake whose answer named a <see cref="HandshakeAnswer.WantedSession"/>.</summary>
    [Alias("Resume"), ResponseTimeout(Turn)]
    [return: Immutable]
    ValueTask<HandshakeAnswer> Resume([Immutable] HandshakeResumption resumption, CancellationToken cancellationToken);

    /// <summary>The client is gone, or the gateway: forgets the connection. One that nobody abandons is forgotten when its time is over.</summary>
    [Alias("Abandon"), ResponseTimeout(Turn)]
    ValueTask Abandon(Guid handshakeId, CancellationToken cancellationToken);

    /// <summary>The silo has no handshake role any more: begins no handshake, forgets all connections, and deactivates.</summary>
    [Alias("Retire"), ResponseTimeout(AtOnce)]
    ValueTask Retire(CancellationToken cancellationToken);

    private const string AtOnce = "00:00:02";

    /// <summary>A step waits for its turn for as long as a handshake may take by default.</summary>
    private const string Turn = "00:00:10";
}

/// <summary>Records of one connection for its lane.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.HandshakeRequest")]
public sealed record HandshakeRequest
{
    [Id(0)] public required Guid HandshakeId { get; init; }

    /// <summary>How long the handshake may take from here; what its first request says holds.</summary>
    [Id(3)] public required TimeSpan TimeLeft { get; init; }

    /// <summary>The data silo that is to have the session first; null when none is chosen. What its first request says holds.</summary>
    [Id(4)] public string? DataSilo { get; init; }

    /// <summary>Whole records.</summary>
    [Id(2)] public required ReadOnlyMemory<byte> Records { get; init; }
}

/// <summary>What was found for a handshake that waits for it.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.HandshakeResumption")]
public sealed record HandshakeResumption
{
    [Id(0)] public required Guid HandshakeId { get; init; }

    /// <summary>The sealed session (<see cref="StoredSession.Sealed"/>); empty when there is none, or none in time.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Session { get; init; }
}

/// <summary>What a lane answers.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.HandshakeAnswer")]
public sealed record HandshakeAnswer
{
    [Id(0)] public required int Consumed { get; init; }

    /// <summary>Whole records for the client.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Flight { get; init; }

    /// <summary>Set when the handshake failed: the cause, for the log.</summary>
    [Id(2)] public string? Error { get; init; }

    /// <summary>Set when it is complete.</summary>
    [Id(3)] public EstablishedSession? Established { get; init; }

    /// <summary>Set instead of everything else: the id of the session that the client asks for. The handshake waits for
    /// <see cref="IHandshakeGrain.Resume"/>; whoever called looks for the session, so that the lane need not wait.</summary>
    [Id(4)] public ReadOnlyMemory<byte> WantedSession { get; init; }

    /// <summary>With <see cref="Established"/>: the session for its client to come back with, sealed; null when it has a ticket for that.</summary>
    [Id(5)] public ResumptionRecord? Resumption { get; init; }

    /// <summary>With <see cref="Error"/>: the id of the session that must not be resumed again.</summary>
    [Id(6)] public ReadOnlyMemory<byte> InvalidatedSession { get; init; }

    /// <summary>With <see cref="Error"/>: of which kind it is.</summary>
    [Id(7)] public HandshakeFailure Failure { get; init; }
}

/// <summary>A finished handshake; nothing in it is secret (the capsule is sealed).</summary>
[GenerateSerializer, Immutable, Alias("CSsl.EstablishedSession")]
public sealed record EstablishedSession
{
    [Id(0)] public required Guid SessionId { get; init; }
    [Id(1)] public required ReadOnlyMemory<byte> Capsule { get; init; }
    [Id(2)] public required ulong ClientSequence { get; init; }
    [Id(3)] public required ulong ServerSequence { get; init; }
    [Id(4)] public required TlsVersion Version { get; init; }
    [Id(5)] public required CipherSuite CipherSuite { get; init; }
    [Id(6)] public required bool Resumed { get; init; }
    [Id(7)] public string? ApplicationProtocol { get; init; }
    [Id(8)] public string? ServerName { get; init; }

    /// <summary>See <see cref="Tls.Handshake.IServerHandshake.Group"/>.</summary>
    [Id(9)] public NamedGroup? Group { get; init; }
}

/// <summary>A session to be stored; nothing in it is secret.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.ResumptionRecord")]
public sealed record ResumptionRecord
{
    /// <summary>The TLS session id.</summary>
    [Id(0)] public required ReadOnlyMemory<byte> Id { get; init; }

    /// <summary>See <see cref="StoredSession.Sealed"/>.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Sealed { get; init; }
}
