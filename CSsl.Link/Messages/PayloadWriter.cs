using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CSsl.Link;

/// <summary>Puts a payload together, as <see cref="PayloadReader"/> takes it apart. For messages that are sent once per handshake or attach.</summary>
internal sealed class PayloadWriter(int capacity)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(capacity);

    public void Bytes(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void U8(byte value) => _bytes.Write([value]);

    public void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.GetSpan(2), value);
        _bytes.Advance(2);
    }

    public void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
    }

    public void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
    }

    public void Count(int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        U32((uint)value);
    }

    public void Flag(bool value) => U8(value ? (byte)1 : (byte)0);

    public void Guid(Guid value)
    {
        value.TryWriteBytes(_bytes.GetSpan(16), bigEndian: true, out int written);
        _bytes.Advance(written);
    }

    public void Text(string? value)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(value ?? "");
        if (utf8.Length > byte.MaxValue) throw new ArgumentException($"Text of {utf8.Length} bytes; the most is {byte.MaxValue}.", nameof(value));
        U8((byte)utf8.Length);
        Bytes(utf8);
    }

    public void EndPoint(IPEndPoint value)
    {
        bool v6 = value.AddressFamily == AddressFamily.InterNetworkV6;
        U8(v6 ? (byte)6 : (byte)4);
        Bytes(value.Address.GetAddressBytes());
        if (v6) U32((uint)value.Address.ScopeId);
        U16((ushort)value.Port);
    }

    /// <exception cref="ArgumentException">Longer than a frame may be.</exception>
    public byte[] ToArray() => _bytes.WrittenCount <= LinkChannel.MaxPayload
        ? _bytes.WrittenSpan.ToArray()
        : throw new ArgumentException($"A payload of {_bytes.WrittenCount} bytes; the most is {LinkChannel.MaxPayload}.");
}
