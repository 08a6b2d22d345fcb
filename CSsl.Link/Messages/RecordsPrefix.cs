using System.Buffers.Binary;

namespace CSsl.Link;

/// <summary>What stands before the records of a <see cref="FrameKind.Records"/> frame from a silo: how much of the application's output they carry.</summary>
/// <remarks>
/// <code>application bytes u32 | whole records</code>
/// The plaintext length of the application data alone: alerts and KeyUpdates carry none. By it the gateway, which can't open records, knows how far
/// into a response the client is.
/// </remarks>
public static class RecordsPrefix
{
    /// <summary>Bytes before the records.</summary>
    public const int Length = sizeof(uint);

    /// <param name="payload">The frame's payload; the records are behind the first <see cref="Length"/> bytes.</param>
    /// <param name="applicationBytes">Plaintext bytes of application data in the records.</param>
    public static void Write(Span<byte> payload, int applicationBytes) => BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)applicationBytes);

    /// <summary>Returns the records.</summary>
    /// <exception cref="LinkException">There are none, or they are too short for what they are said to carry.</exception>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> payload, out int applicationBytes)
    {
        var reader = PayloadFields.ReaderOf(payload);
        applicationBytes = reader.Count();
        var records = reader.Rest();
        if (records.IsEmpty)
            reader.Fail("has no records");
        if (applicationBytes >= records.Length)
            reader.Fail("claims more application bytes than it has records for");
        reader.Complete("A Records frame");
        return records;
    }
}
