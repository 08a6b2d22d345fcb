using CSsl.Link;
using CSsl.Tls.Handshake;

namespace CSsl.Grains.Handshake;

/// <summary>What a lane answers.</summary>
public readonly record struct HandshakeAnswer
{
    public int Consumed { get; init; }

    /// <summary>Whole records for the client: the lane's own memory, until its turn is over.</summary>
    public ReadOnlyMemory<byte> Flight { get; init; }

    /// <summary>Set when the handshake failed: the cause, for the log.</summary>
    public string? Error { get; init; }

    /// <summary>Set when it is complete: what the gateway is told, this answer's records included. Nothing in it is secret (the capsule is sealed).</summary>
    public Established? Established { get; init; }

    /// <summary>Set instead of everything else: the id of the session that the client asks for. The handshake waits for
    /// <see cref="IHandshakeLane.Resume"/>; whoever asked looks for the session, so that the lane need not wait.</summary>
    public ReadOnlyMemory<byte> WantedSession { get; init; }

    /// <summary>With <see cref="Established"/>: the session for its client to come back with, sealed; null when it has a ticket for that.</summary>
    public ResumptionRecord? Resumption { get; init; }

    /// <summary>With <see cref="Error"/>: the id of the session that must not be resumed again.</summary>
    public ReadOnlyMemory<byte> InvalidatedSession { get; init; }

    /// <summary>With <see cref="Error"/>: of which kind it is.</summary>
    public HandshakeFailure Failure { get; init; }
}

/// <summary>A session to be stored; nothing in it is secret.</summary>
public sealed record ResumptionRecord
{
    /// <summary>The TLS session id.</summary>
    public required ReadOnlyMemory<byte> Id { get; init; }

    /// <summary>See <see cref="StoredSession.Sealed"/>.</summary>
    public required ReadOnlyMemory<byte> Sealed { get; init; }
}
