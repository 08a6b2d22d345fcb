namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Rekeyed"/>: the silo is about to change its write key (TLS 1.3 KeyUpdate).</summary>
/// <remarks><code>server record u64 | capsule u16 + bytes</code></remarks>
public sealed record Rekeyed
{
    /// <summary>Number of the first record to the client under the new key: the capsule takes the old one's place once all before it are delivered.</summary>
    public required ulong ServerRecord { get; init; }

    /// <summary>The session with the new write key; the client's key in it is that of the last checkpoint.</summary>
    public required ReadOnlyMemory<byte> Capsule { get; init; }

    /// <exception cref="ArgumentException">The capsule is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[10 + Capsule.Length]);
        payload.U64(ServerRecord);
        payload.Capsule(Capsule.Span);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Rekeyed Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var rekeyed = new Rekeyed { ServerRecord = reader.U64(), Capsule = reader.Capsule() };
        reader.Complete(nameof(Rekeyed));
        return rekeyed;
    }
}
