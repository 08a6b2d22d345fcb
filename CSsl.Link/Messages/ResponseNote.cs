namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.ResponseNote"/>: bytes that only silos can open, for the next <see cref="Attach.Response"/>.</summary>
/// <param name="Sealed">From 1 to <see cref="MaxLength"/> bytes.</param>
public readonly ref struct ResponseNote(ReadOnlySpan<byte> Sealed)
{
    /// <summary>The most bytes of a note.</summary>
    public const int MaxLength = 2048;

    public ReadOnlySpan<byte> Sealed { get; } = Sealed;

    /// <exception cref="ArgumentException">Empty, or longer than the wire allows.</exception>
    public byte[] Encode() => Sealed.Length is > 0 and <= MaxLength
        ? Sealed.ToArray()
        : throw new ArgumentException($"A note of {Sealed.Length} bytes; it must be from 1 to {MaxLength}.");

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static ResponseNote Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        if (payload.Length is 0 or > MaxLength)
            reader.Fail($"is of {payload.Length} bytes");
        var note = reader.Rest();
        reader.Complete(nameof(ResponseNote));
        return new ResponseNote(note);
    }
}
