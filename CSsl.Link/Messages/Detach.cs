namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Detach"/>: the last checkpoint of a session at this silo.</summary>
/// <remarks><code>client record u64 | server record u64 | capsule u16 + bytes (may be empty) | reason u8 | when reason is Move: silo u8 + text</code></remarks>
public sealed record Detach
{
    /// <summary>As in <see cref="Checkpoint"/>. Records from here on that were passed to this silo it has dropped unread.</summary>
    public required ulong ClientRecord { get; init; }

    /// <summary>As in <see cref="Checkpoint"/>.</summary>
    public required ulong ServerRecord { get; init; }

    /// <summary>As in <see cref="Checkpoint"/>.</summary>
    public ReadOnlyMemory<byte> Capsule { get; init; }

    public required DetachReason Reason { get; init; }

    /// <summary>Where the session is to go on; null unless <see cref="Reason"/> is <see cref="DetachReason.Move"/>.</summary>
    public string? Silo { get; init; }

    /// <exception cref="ArgumentException">A field is longer than the wire allows, or there is no silo where one is to be.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[19 + Capsule.Length + 1 + byte.MaxValue]);
        payload.U64(ClientRecord);
        payload.U64(ServerRecord);
        payload.Vector16(Capsule.Span);
        payload.U8((byte)Reason);
        if (Reason == DetachReason.Move)
            payload.Silo(Silo);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Detach Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var detach = new Detach
        {
            ClientRecord = reader.U64(),
            ServerRecord = reader.U64(),
            Capsule = reader.Vector16().ToArray(),
            Reason = (DetachReason)reader.U8(),
        };
        if (detach.Reason > DetachReason.Move)
            reader.Fail("has an unknown reason");
        if (detach.Reason == DetachReason.Move)
            detach = detach with { Silo = reader.Silo() };
        reader.Complete(nameof(Detach));
        return detach;
    }
}

/// <summary>Why a silo lets a session go.</summary>
public enum DetachReason : byte
{
    /// <summary>Nothing happened for a while: the connection may sleep.</summary>
    Idle = 0,

    /// <summary>The silo leaves: elsewhere, please.</summary>
    Drain = 1,

    /// <summary>At that silo, please.</summary>
    Move = 2,
}
