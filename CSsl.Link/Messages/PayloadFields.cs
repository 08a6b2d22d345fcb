using System.Net;
using System.Net.Sockets;
using CSsl.Tls;

namespace CSsl.Link;

/// <summary>What payloads of the data link have beside plain fields. They are little-endian.</summary>
internal static class PayloadFields
{
    /// <summary>The most bytes of an address: the family, an IPv6 address with its scope, and the port.</summary>
    public const int MaxEndPointLength = 1 + 16 + 4 + 2;

    public static WireReader ReaderOf(ReadOnlySpan<byte> payload) => new(payload, isLittleEndian: true);

    public static WireWriter WriterOf(Span<byte> payload) => new(payload, isLittleEndian: true);

    /// <summary>The payload, as long as what was written.</summary>
    /// <exception cref="ArgumentException">Longer than a frame may be.</exception>
    public static byte[] ToPayload(this in WireWriter writer) => writer.Written.Length <= LinkChannel.MaxPayload
        ? writer.Written.ToArray()
        : throw new ArgumentException($"A payload of {writer.Written.Length} bytes; the most is {LinkChannel.MaxPayload}.");

    /// <summary>The payload must end here, and be right.</summary>
    /// <param name="reader">It is at the end.</param>
    /// <param name="message">Its name.</param>
    /// <exception cref="LinkException">It is not.</exception>
    public static void Complete(this ref WireReader reader, string message)
    {
        reader.End();
        if (reader.Fault is { } fault)
            throw new LinkException($"{message} {fault}.");
    }

    /// <summary>A count or a duration, u32: never negative.</summary>
    public static int Count(this ref WireReader reader)
    {
        var value = reader.U32();
        if (value <= int.MaxValue)
            return (int)value;
        reader.Fail("has a number out of range");
        return 0;
    }

    /// <inheritdoc cref="Count(ref WireReader)"/>
    public static void Count(this ref WireWriter writer, int value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        writer.U32((uint)value);
    }

    /// <summary>4 or 6, the address, for IPv6 its scope, and the port.</summary>
    public static IPEndPoint EndPoint(this ref WireReader reader)
    {
        var family = reader.U8();
        if (family is not (4 or 6))
            reader.Fail("has an address that is neither IPv4 nor IPv6");
        var address = reader.Bytes(family == 6 ? 16 : 4);
        var scope = family == 6 ? reader.U32() : 0;
        var port = reader.U16();
        if (reader.Fault is not null)
            return new IPEndPoint(IPAddress.None, 0);
        return new IPEndPoint(family == 6 ? new IPAddress(address, scope) : new IPAddress(address), port);
    }

    /// <inheritdoc cref="EndPoint(ref WireReader)"/>
    public static void EndPoint(this ref WireWriter writer, IPEndPoint value)
    {
        var v6 = value.AddressFamily == AddressFamily.InterNetworkV6;
        writer.U8(v6 ? (byte)6 : (byte)4);
        writer.Bytes(value.Address.GetAddressBytes());
        if (v6)
            writer.U32((uint)value.Address.ScopeId);
        writer.U16((ushort)value.Port);
    }

    /// <summary>The name of a silo: u8 length and text, of which there must be some.</summary>
    public static string Silo(this ref WireReader reader)
    {
        var name = reader.Text();
        if (name is null)
            reader.Fail("names no silo");
        return name ?? "";
    }

    /// <inheritdoc cref="Silo(ref WireReader)"/>
    public static void Silo(this ref WireWriter writer, string? name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        writer.Text(name);
    }

    /// <summary>A sealed session: u16 length and bytes, of which there must be some.</summary>
    public static byte[] Capsule(this ref WireReader reader)
    {
        var capsule = reader.Vector16();
        if (capsule.IsEmpty)
            reader.Fail("has no capsule");
        return capsule.ToArray();
    }

    /// <inheritdoc cref="Capsule(ref WireReader)"/>
    public static void Capsule(this ref WireWriter writer, ReadOnlySpan<byte> capsule)
    {
        if (capsule.IsEmpty)
            throw new ArgumentException("A capsule of 0 bytes.", nameof(capsule));
        writer.Vector16(capsule);
    }
}
