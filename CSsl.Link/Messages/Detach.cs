namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Detach"/>: the last checkpoint of a session at this silo.</summary>
/// <remarks><code>client record u64 | server record u64 | capsule u16 + bytes (may be empty) | reason u8</code></remarks>
public sealed record Detach
{
    /// <summary>As in <see cref="Checkpoint"/>. Records from here on that were passed to this silo it has dropped unread.</summary>
    public required ulong ClientRecord { get; init; }

    /// <summary>As in <see cref="Checkpoint"/>.</summary>
    public required ulong ServerRecord { get; init; }

    /// <summary>As in <see cref="Checkpoint"/>.</summary>
    public ReadOnlyMemory<byte> Capsule { get; init; }

    public required DetachReason Reason { get; init; }

    /// <exception cref="ArgumentException">The capsule is longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = new PayloadWriter(19 + Capsule.Length);
        payload.U64(ClientRecord);
        payload.U64(ServerRecord);
        CapsuleField.WriteOptional(payload, Capsule.Span);
        payload.U8((byte)Reason);
        return payload.ToArray();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Detach Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new PayloadReader(payload, nameof(Detach));
        var detach = new Detach
        {
            ClientRecord = reader.U64(),
            ServerRecord = reader.U64(),
            Capsule = CapsuleField.ReadOptional(ref reader),
            Reason = (DetachReason)reader.U8(),
        };
        reader.End();
        return detach.Reason <= DetachReason.Drain ? detach : throw reader.Refuse("has an unknown reason");
    }
}

/// <summary>Why a silo lets a session go.</summary>
public enum DetachReason : byte
{
    /// <summary>Nothing happened for a while: the connection may sleep.</summary>
    Idle = 0,

    /// <summary>The silo leaves: elsewhere, please.</summary>
    Drain = 1,
}
