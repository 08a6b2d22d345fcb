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
        var payload = new PayloadWriter(9 + Silo.Length);
        payload.U64(ClientRecord);
        payload.Bytes(new MoveTarget(Silo).Encode());
        return payload.ToArray();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static HandOver Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new PayloadReader(payload, nameof(HandOver));
        return new HandOver { ClientRecord = reader.U64(), Silo = MoveTarget.Decode(reader.Rest()).Silo };
    }
}
