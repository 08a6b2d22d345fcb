using System.Net;
using CSsl.Tls;

namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Attach"/>: first attach, wake-up, move and takeover alike.</summary>
/// <remarks>
/// <code>
/// session 16 | client sequence u64 | server sequence u64 | connection u64 | client address | server address | capsule u16 + bytes
/// | cause u8 | takeovers u16 | generation u32
/// and when cause is Takeover:
/// | key updates u8 | replay records u32 | replayable u8 | delivered bytes u64 | response u16 + bytes (may be empty)
/// </code>
/// </remarks>
public sealed record Attach
{
    private const int FixedLength = 65;

    public required Guid SessionId { get; init; }

    /// <summary>The sealed session; less than 64 KiB.</summary>
    public required ReadOnlyMemory<byte> Capsule { get; init; }

    /// <summary>Number of the next record from the client, counted from the handshake's last: as at Established or at the last checkpoint.</summary>
    public required ulong ClientSequence { get; init; }

    /// <summary>Number of the next record to the client: all before it were delivered.</summary>
    public required ulong ServerSequence { get; init; }

    /// <summary>The gateway's number for the client connection, for logs.</summary>
    public required ulong ConnectionId { get; init; }

    public required IPEndPoint Client { get; init; }

    /// <summary>The address that the client connected to.</summary>
    public required IPEndPoint Server { get; init; }

    public AttachCause Cause { get; init; }

    /// <summary>How often a silo of this connection was lost so far, this time included.</summary>
    public ushort Takeovers { get; init; }

    /// <summary>Counts the attaches of this connection, from 1. No session is served under two, and none under one that is not newer than all that were there before.</summary>
    public uint Generation { get; init; } = 1;

    /// <summary>Takeover: how often the write key must change (TLS 1.3) before anything else is sealed: once more than any silo that was lost can have changed it since the capsule. 0 otherwise.</summary>
    public byte KeyUpdates { get; init; }

    /// <summary>Takeover: the first so many records from <see cref="ClientSequence"/> on had been passed to an earlier silo. 0 otherwise.</summary>
    public int ReplayRecords { get; init; }

    /// <summary>False in a takeover whose records since the last checkpoint are lost: <see cref="ClientSequence"/> is behind all that were passed on.</summary>
    public bool IsReplayable { get; init; } = true;

    /// <summary>Takeover: bytes of application data delivered to the client since the last checkpoint. 0 otherwise.</summary>
    public ulong DeliveredBytes { get; init; }

    /// <summary>Takeover: payload of the newest <see cref="FrameKind.ResponseNote"/> since the last checkpoint, at most <see cref="ResponseNote.MaxLength"/> bytes; or empty.</summary>
    public ReadOnlyMemory<byte> Response { get; init; }

    /// <exception cref="ArgumentException">The capsule is empty or longer than the wire allows, or there is something in it that only a takeover says.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[FixedLength + (2 * PayloadFields.MaxEndPointLength) + Capsule.Length + Response.Length]);
        payload.Guid(SessionId);
        payload.U64(ClientSequence);
        payload.U64(ServerSequence);
        payload.U64(ConnectionId);
        payload.EndPoint(Client);
        payload.EndPoint(Server);
        payload.Capsule(Capsule.Span);
        payload.U8((byte)Cause);
        payload.U16(Takeovers);
        payload.U32(Generation);
        EncodeTakeover(ref payload);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Attach Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var attach = DecodeTakeover(ref reader, new Attach
        {
            SessionId = reader.Guid(),
            ClientSequence = reader.U64(),
            ServerSequence = reader.U64(),
            ConnectionId = reader.U64(),
            Client = reader.EndPoint(),
            Server = reader.EndPoint(),
            Capsule = reader.Capsule(),
            Cause = (AttachCause)reader.U8(),
            Takeovers = reader.U16(),
            Generation = reader.U32(),
        });
        reader.Complete(nameof(Attach));
        return attach;
    }

    private void EncodeTakeover(ref WireWriter payload)
    {
        if (Cause == AttachCause.Takeover)
        {
            if (Response.Length > ResponseNote.MaxLength)
                throw new ArgumentException($"A note of {Response.Length} bytes; the most is {ResponseNote.MaxLength}.");
            payload.U8(KeyUpdates);
            payload.Count(ReplayRecords);
            payload.Flag(IsReplayable);
            payload.U64(DeliveredBytes);
            payload.Vector16(Response.Span);
        }
        else if (KeyUpdates != 0 || ReplayRecords != 0 || !IsReplayable || DeliveredBytes != 0 || !Response.IsEmpty || Cause > AttachCause.Takeover)
        {
            throw new ArgumentException($"An attach of cause {Cause} says what only a takeover may.");
        }
    }

    private static Attach DecodeTakeover(ref WireReader reader, Attach attach)
    {
        if (attach.Cause > AttachCause.Takeover)
            reader.Fail("has an unknown cause");
        if (attach.Cause != AttachCause.Takeover)
            return attach;
        attach = attach with { KeyUpdates = reader.U8(), ReplayRecords = reader.Count(), IsReplayable = reader.Flag(), DeliveredBytes = reader.U64(), Response = reader.Vector16().ToArray() };
        if (attach.Response.Length > ResponseNote.MaxLength)
            reader.Fail("has a note that is too long");
        return attach;
    }
}

/// <summary>Why a session is attached.</summary>
public enum AttachCause : byte
{
    /// <summary>The handshake is complete.</summary>
    First = 0,

    /// <summary>It slept, after a Detach, and the client has sent something.</summary>
    Wake = 1,

    /// <summary>Its silo sent Detach while the client was sending: what that silo dropped unread comes again.</summary>
    Move = 2,

    /// <summary>Its silo was lost.</summary>
    Takeover = 3,
}
