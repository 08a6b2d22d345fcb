namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Move"/>: the silo that the session is to go on at.</summary>
/// <remarks><code>silo u8 + text</code></remarks>
public readonly record struct MoveTarget(string Silo)
{
    /// <exception cref="ArgumentException">A name that is empty or longer than the wire allows.</exception>
    public byte[] Encode()
    {
        ArgumentException.ThrowIfNullOrEmpty(Silo);
        var payload = new PayloadWriter(1 + Silo.Length);
        payload.Text(Silo);
        return payload.ToArray();
    }

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static MoveTarget Decode(ReadOnlySpan<byte> payload)
    {
        var reader = new PayloadReader(payload, nameof(MoveTarget));
        string silo = reader.Text() ?? throw reader.Refuse("names no silo");
        reader.End();
        return new MoveTarget(silo);
    }
}
