using System.Buffers.Binary;

namespace CSsl.Link;

/// <summary>The twelve bytes before every payload; drawn at <see cref="FrameKind"/>.</summary>
/// <param name="Length">Bytes of payload.</param>
/// <param name="Channel">The channel; 0 is the link's own.</param>
/// <param name="Kind">What the payload is.</param>
internal readonly record struct FrameHeader(int Length, uint Channel, FrameKind Kind)
{
    public const int Size = 12;

    /// <summary>Reads the header at the start of <paramref name="source"/>, which has at least <see cref="Size"/> bytes.</summary>
    /// <exception cref="LinkException">No frame starts like this: a length over the limit, or bytes set that must be zero.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> source, int maxPayload)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(source);
        var channel = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        var kind = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (length > (uint)maxPayload)
            throw new LinkException($"The peer sent a frame of {length} bytes; the most allowed here is {maxPayload}.");
        if (kind > byte.MaxValue)
            throw new LinkException("The peer sent a frame whose reserved bytes are not zero.");
        return new FrameHeader((int)length, channel, (FrameKind)kind);
    }

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Channel);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)Kind);
    }
}
