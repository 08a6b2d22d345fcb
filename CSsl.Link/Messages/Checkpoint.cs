namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Checkpoint"/>: nothing is under way, everything before these records is answered, and the answers are sent.</summary>
/// <remarks><code>client record u64 | server record u64 | capsule u16 + bytes (may be empty)</code></remarks>
public sealed record Checkpoint
{
    /// <summary>Number of the next record from the client; all before it have been consumed, and are never asked for again.</summary>
    public required ulong ClientRecord { get; init; }

    /// <summary>Number of the next record to the client; all before it were sent before this frame.</summary>
    public required ulong ServerRecord { get; init; }

    /// <summary>The capsule that opens records from <see cref="ClientRecord"/> on; empty: the one that the gateway has still does.</summary>
    public ReadOnlyMemory<byte> Capsule { get; init; }

    /// <exception cref="ArgumentException">The capsule is longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[18 + Capsule.Length]);
        payload.U64(ClientRecord);
        payload.U64(ServerRecord);
        payload.Vector16(Capsule.Span);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Checkpoint Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var checkpoint = new Checkpoint { ClientRecord = reader.U64(), ServerRecord = reader.U64(), Capsule = reader.Vector16().ToArray() };
        reader.Complete(nameof(Checkpoint));
        return checkpoint;
    }
}
