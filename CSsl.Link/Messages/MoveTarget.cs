namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Move"/>: the silo that the session is to go on at.</summary>
/// <remarks><code>silo u8 + text</code></remarks>
public readonly record struct MoveTarget(string Silo)
{
    /// <exception cref="ArgumentException">A name that is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        var payload = PayloadFields.WriterOf(new byte[1 + byte.MaxValue]);
        payload.Silo(Silo);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static MoveTarget Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var target = new MoveTarget(reader.Silo());
        reader.Complete(nameof(MoveTarget));
        return target;
    }
}
