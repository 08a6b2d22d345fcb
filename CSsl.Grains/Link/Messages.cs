using System.Net;
using CSsl.Tls;

namespace CSsl.Grains.Link;

/// <summary>Payload of <see cref="FrameKind.HandshakeStart"/>.</summary>
/// <param name="ConnectionId">The gateway's number for the client connection, for logs.</param>
/// <param name="Client">The client's address.</param>
/// <param name="DeadlineMilliseconds">Time that is left for the handshake.</param>
public readonly record struct HandshakeStart(ulong ConnectionId, IPEndPoint Client, int DeadlineMilliseconds)
{
    public byte[] Encode() => throw new NotImplementedException();

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static HandshakeStart Decode(ReadOnlySpan<byte> payload) => throw new NotImplementedException();
}

/// <summary>Payload of <see cref="FrameKind.Flight"/>: the answer to one <see cref="FrameKind.Handshake"/>.</summary>
/// <param name="Consumed">Bytes of the Handshake frame that were consumed; the rest stays the gateway's.</param>
/// <param name="Failed">The handshake is over: send the records (an alert, perhaps none), close.</param>
/// <param name="Records">Whole records for the client.</param>
public readonly ref struct Flight(int Consumed, bool Failed, ReadOnlySpan<byte> Records)
{
    public int Consumed { get; } = Consumed;
    public bool Failed { get; } = Failed;
    public ReadOnlySpan<byte> Records { get; } = Records;

    public byte[] Encode() => throw new NotImplementedException();

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Flight Decode(ReadOnlySpan<byte> payload) => throw new NotImplementedException();
}

/// <summary>Payload of <see cref="FrameKind.Established"/>: the last answer of a handshake that succeeded.</summary>
public sealed record Established
{
    /// <summary>Bytes of the last Handshake frame that were consumed; the rest belongs to the data phase.</summary>
    public required int Consumed { get; init; }

    /// <summary>The session's id in the cluster: key of its grains.</summary>
    public required Guid SessionId { get; init; }

    /// <summary>The sealed session, which the gateway can't open.</summary>
    public required ReadOnlyMemory<byte> Capsule { get; init; }

    /// <summary>Sequence number of the next record from the client.</summary>
    public required ulong ClientSequence { get; init; }

    /// <summary>Sequence number of the next record to the client, after <see cref="Records"/>.</summary>
    public required ulong ServerSequence { get; init; }

    public required TlsVersion Version { get; init; }
    public required CipherSuite CipherSuite { get; init; }
    public required bool Resumed { get; init; }
    public string? ApplicationProtocol { get; init; }
    public string? ServerName { get; init; }

    /// <summary>The last records of the handshake for the client.</summary>
    public ReadOnlyMemory<byte> Records { get; init; }

    public byte[] Encode() => throw new NotImplementedException();

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Established Decode(ReadOnlySpan<byte> payload) => throw new NotImplementedException();
}

/// <summary>Payload of <see cref="FrameKind.Attach"/>: first attach, wake-up, move and takeover alike.</summary>
public sealed record Attach
{
    public required Guid SessionId { get; init; }
    public required ReadOnlyMemory<byte> Capsule { get; init; }
    public required ulong ClientSequence { get; init; }
    public required ulong ServerSequence { get; init; }
    public required ulong ConnectionId { get; init; }
    public required IPEndPoint Client { get; init; }

    /// <summary>The address that the client connected to.</summary>
    public required IPEndPoint Server { get; init; }

    public byte[] Encode() => throw new NotImplementedException();

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Attach Decode(ReadOnlySpan<byte> payload) => throw new NotImplementedException();
}

/// <summary>Why a channel was closed: the payload of <see cref="FrameKind.Close"/> is this one byte.</summary>
public enum CloseReason : byte
{
    /// <summary>Both directions were finished in order: FIN.</summary>
    Done = 0,

    /// <summary>The application or the peer gave up in the middle: reset, so that no client takes what it has for the whole.</summary>
    Aborted = 1,

    /// <summary>The client's bytes broke the protocol; an alert was sent before this.</summary>
    ProtocolError = 2,

    /// <summary>The silo does not take the channel: leaving, full, or not of that role.</summary>
    Refused = 3,

    /// <summary>The capsule could not be opened.</summary>
    BadCapsule = 4,

    /// <summary>The client is gone.</summary>
    ClientGone = 5,
}
