namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.HandOver"/>.</summary>
/// <remarks><code>client record u64 | silo u8 + text</code></remarks>
public sealed record HandOver
{
    /// <summary>Number of the client's next record: of those from here on, this silo has passed no request on.</summary>
    public required ulong ClientRecord { get; init; }

    /// <summary>Where the session is to go on.</summary>
    public required string Silo { get; init; }

    /// <exception cref="ArgumentException">A name that is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[9 + byte.MaxValue]);
        payload.U64(ClientRecord);
        payload.Silo(Silo);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static HandOver Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var handOver = new HandOver { ClientRecord = reader.U64(), Silo = reader.Silo() };
        reader.Complete(nameof(HandOver));
        return handOver;
    }
}
