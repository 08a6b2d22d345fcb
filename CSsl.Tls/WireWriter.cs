using System.Buffers.Binary;
using System.Text;

namespace CSsl.Tls;

/// <summary>Puts bytes together as <see cref="WireReader"/> takes them apart. A field that does not fit throws <see cref="ArgumentException"/>, and nothing of it is written.</summary>
/// <param name="destination">Long enough for all.</param>
/// <param name="isLittleEndian">False: network order, as in TLS.</param>
public ref struct WireWriter(Span<byte> destination, bool isLittleEndian = false)
{
    private readonly Span<byte> _destination = destination;
    private int _length;

    /// <summary>What was written so far.</summary>
    public readonly ReadOnlySpan<byte> Written => _destination[.._length];

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    public void U8(byte value) => Take(sizeof(byte))[0] = value;

    public void U16(ushort value)
    {
        var field = Take(sizeof(ushort));
        if (isLittleEndian)
            BinaryPrimitives.WriteUInt16LittleEndian(field, value);
        else
            BinaryPrimitives.WriteUInt16BigEndian(field, value);
    }

    public void U32(uint value)
    {
        var field = Take(sizeof(uint));
        if (isLittleEndian)
            BinaryPrimitives.WriteUInt32LittleEndian(field, value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(field, value);
    }

    public void U64(ulong value)
    {
        var field = Take(sizeof(ulong));
        if (isLittleEndian)
            BinaryPrimitives.WriteUInt64LittleEndian(field, value);
        else
            BinaryPrimitives.WriteUInt64BigEndian(field, value);
    }

    public void U128(UInt128 value)
    {
        var field = Take(16);
        if (isLittleEndian)
            BinaryPrimitives.WriteUInt128LittleEndian(field, value);
        else
            BinaryPrimitives.WriteUInt128BigEndian(field, value);
    }

    public void Guid(Guid value) => value.TryWriteBytes(Take(16), bigEndian: true, out _);

    public void Flag(bool value) => U8(value ? (byte)1 : (byte)0);

    public void Vector8(ReadOnlySpan<byte> value)
    {
        U8((byte)Checked(value.Length, byte.MaxValue));
        Bytes(value);
    }

    public void Vector16(ReadOnlySpan<byte> value)
    {
        U16((ushort)Checked(value.Length, ushort.MaxValue));
        Bytes(value);
    }

    /// <summary>A <see cref="Vector8"/> of UTF-8; null is an empty one.</summary>
    public void Text(string? value)
    {
        var length = Checked(Encoding.UTF8.GetByteCount(value ?? ""), byte.MaxValue);
        U8((byte)length);
        Encoding.UTF8.GetBytes(value, Take(length));
    }

    private static int Checked(int length, int most)
        => length <= most ? length : throw new ArgumentException($"A field of {length} bytes; the most is {most}.");

    private Span<byte> Take(int count)
    {
        if (count > _destination.Length - _length)
            throw new ArgumentException($"{count} bytes more than there is room for.");
        var taken = _destination.Slice(_length, count);
        _length += count;
        return taken;
    }
}
