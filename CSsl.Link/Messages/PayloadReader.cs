using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace CSsl.Link;

/// <summary>Takes a payload apart from front to back. Little-endian; every field is there in full or the payload is refused.</summary>
internal ref struct PayloadReader(ReadOnlySpan<byte> payload, string message)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = payload;

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > _rest.Length) throw Refuse("is cut short");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public ReadOnlySpan<byte> Rest() => Bytes(_rest.Length);

    public byte U8() => Bytes(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    /// <summary>A count or a duration: never negative.</summary>
    public int Count()
    {
        uint value = U32();
        return value <= int.MaxValue ? (int)value : throw Refuse("has a number out of range");
    }

    public bool Flag() => U8() switch
    {
        0 => false,
        1 => true,
        _ => throw Refuse("has a flag that is neither 0 nor 1"),
    };

    public Guid Guid() => new(Bytes(16), bigEndian: true);

    /// <summary>A length byte and UTF-8; a length of 0 is null.</summary>
    public string? Text()
    {
        int length = U8();
        if (length == 0) return null;
        try
        {
            return StrictUtf8.GetString(Bytes(length));
        }
        catch (DecoderFallbackException)
        {
            throw Refuse("has text that is not UTF-8");
        }
    }

    /// <summary>4 or 6, the address, for IPv6 its scope, and the port.</summary>
    public IPEndPoint EndPoint()
    {
        IPAddress address = U8() switch
        {
            4 => new IPAddress(Bytes(4)),
            6 => new IPAddress(Bytes(16), U32()),
            _ => throw Refuse("has an address that is neither IPv4 nor IPv6"),
        };
        return new IPEndPoint(address, U16());
    }

    /// <summary>The payload must end here.</summary>
    public readonly void End()
    {
        if (!_rest.IsEmpty) throw Refuse("has bytes after its end");
    }

    public readonly LinkException Refuse(string what) => new($"{message} {what}.");
}
