using System.Buffers.Binary;
using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>Writes the fields of <see cref="ExportedSessionCodec"/>, big-endian, into a span that is long enough.</summary>
internal ref struct SessionWriter(Span<byte> destination)
{
    private Span<byte> _rest = destination;

    public void WriteByte(byte value)
    {
        _rest[0] = value;
        _rest = _rest[1..];
    }

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_rest, value);
        _rest = _rest[2..];
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_rest, value);
        _rest = _rest[8..];
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_rest);
        _rest = _rest[value.Length..];
    }

    public void WriteVector1(ReadOnlySpan<byte> value)
    {
        WriteByte((byte)value.Length);
        WriteBytes(value);
    }

    public void WriteString1(string? value)
    {
        var length = Encoding.UTF8.GetBytes(value, _rest[1..]);
        _rest[0] = (byte)length;
        _rest = _rest[(1 + length)..];
    }
}
