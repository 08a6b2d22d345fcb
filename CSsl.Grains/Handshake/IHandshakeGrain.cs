using CSsl.Tls;
using Orleans;

namespace CSsl.Grains.Handshake;

/// <summary>
/// One lane of a handshake silo (key "silo/lane"): runs the handshakes of many connections, one turn at a time.
/// Only ever called by its own silo.
/// </summary>
public interface IHandshakeGrain : IGrainWithStringKey
{
    /// <summary>Feeds whole records of one connection; the first call for a connection id starts its handshake. One call in flight per connection.</summary>
    [return: Immutable]
    ValueTask<HandshakeAnswer> Advance([Immutable] HandshakeRequest request, CancellationToken cancellationToken);

    /// <summary>The client is gone, or the gateway: forgets the connection.</summary>
    ValueTask Abandon(Guid handshakeId, CancellationToken cancellationToken);
}

/// <summary>Records of one connection for its lane.</summary>
[GenerateSerializer, Immutable]
public sealed record HandshakeRequest
{
    [Id(0)] public required Guid HandshakeId { get; init; }

    /// <summary>When the handshake ends unfinished.</summary>
    [Id(1)] public required DateTimeOffset Deadline { get; init; }

    /// <summary>Whole records.</summary>
    [Id(2)] public required ReadOnlyMemory<byte> Records { get; init; }
}

/// <summary>What a lane answers.</summary>
[GenerateSerializer, Immutable]
public sealed record HandshakeAnswer
{
    [Id(0)] public required int Consumed { get; init; }

    /// <summary>Whole records for the client.</summary>
    [Id(1)] public required ReadOnlyMemory<byte> Flight { get; init; }

    /// <summary>Set when the handshake failed: the cause, for the log.</summary>
    [Id(2)] public string? Error { get; init; }

    /// <summary>Set when it is complete.</summary>
    [Id(3)] public EstablishedSession? Established { get; init; }
}

/// <summary>A finished handshake; nothing in it is secret (the capsule is sealed).</summary>
[GenerateSerializer, Immutable]
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
}
