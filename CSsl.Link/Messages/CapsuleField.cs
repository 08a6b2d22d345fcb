namespace CSsl.Link;

/// <summary>A capsule inside a payload: u16 length and bytes. Where it may be missing, its length is 0.</summary>
internal static class CapsuleField
{
    public static void Write(PayloadWriter payload, ReadOnlySpan<byte> capsule)
    {
        if (capsule.IsEmpty) throw new ArgumentException("A capsule of 0 bytes.", nameof(capsule));
        WriteOptional(payload, capsule);
    }

    public static void WriteOptional(PayloadWriter payload, ReadOnlySpan<byte> capsule)
    {
        if (capsule.Length > ushort.MaxValue) throw new ArgumentException($"A capsule of {capsule.Length} bytes; the most is {ushort.MaxValue}.", nameof(capsule));
        payload.U16((ushort)capsule.Length);
        payload.Bytes(capsule);
    }

    public static byte[] Read(ref PayloadReader reader)
    {
        byte[] capsule = ReadOptional(ref reader);
        return capsule.Length > 0 ? capsule : throw reader.Refuse("has no capsule");
    }

    public static byte[] ReadOptional(ref PayloadReader reader) => reader.Bytes(reader.U16()).ToArray();
}
