namespace CSsl.Grains.Link;

/// <summary>A capsule inside a payload: u16 length and bytes; never empty.</summary>
internal static class CapsuleField
{
    public static void Write(PayloadWriter payload, ReadOnlySpan<byte> capsule)
    {
        if (capsule.Length is 0 or > ushort.MaxValue)
            throw new ArgumentException($"A capsule of {capsule.Length} bytes; it must be from 1 to {ushort.MaxValue}.", nameof(capsule));
        payload.U16((ushort)capsule.Length);
        payload.Bytes(capsule);
    }

    public static byte[] Read(ref PayloadReader reader)
    {
        int length = reader.U16();
        return length > 0 ? reader.Bytes(length).ToArray() : throw reader.Refuse("has no capsule");
    }
}
