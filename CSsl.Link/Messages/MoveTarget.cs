namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Move"/>: the silo that the session is to go on at.</summary>
/// <remarks><code>silo u8 + text</code></remarks>
public readonly record struct MoveTarget(string Silo)
{
    /// <exception cref="ArgumentException">A name that is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        ArgumentException.ThrowIfNullOrEmpty(Silo);
        var payload = PayloadFields.WriterOf(new byte[1 + byte.MaxValue]);
        payload.Text(Silo);
        return payload.ToPayload();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static MoveTarget Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var silo = reader.Text();
        if (silo is null)
            reader.Fail("names no silo");
        reader.Complete(nameof(MoveTarget));
        return new MoveTarget(silo!);
    }
}
