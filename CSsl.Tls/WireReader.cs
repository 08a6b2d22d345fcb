using System.Buffers.Binary;
using System.Text;

namespace CSsl.Tls;

/// <summary>Takes bytes apart from front to back: TLS messages, capsules, payloads of the data link. Nothing is read that is not there.</summary>
/// <remarks>
/// The first fault sticks. After it every method answers zero or empty, so that a message reads as one line per field: whoever reads looks at
/// <see cref="Fault"/> once, behind the last field and before anything is used. Nothing is thrown, because who sends bad bytes must not cost an exception.
/// </remarks>
/// <param name="bytes">All there is.</param>
/// <param name="isLittleEndian">False: network order, as in TLS (RFC 8446 section 3.1).</param>
public ref struct WireReader(ReadOnlySpan<byte> bytes, bool isLittleEndian = false)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>What is wrong, as the end of a sentence that begins with the message's name; null while nothing is.</summary>
    public string? Fault { get; private set; }

    /// <summary>True at the end, and after a fault.</summary>
    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>What was read can't be right.</summary>
    /// <param name="what">See <see cref="Fault"/>.</param>
    public void Fail(string what)
    {
        Fault ??= what;
        _rest = default;
    }

    /// <summary>The bytes must end here.</summary>
    public void End()
    {
        if (!_rest.IsEmpty)
            Fail("has bytes after its end");
    }

    /// <summary>The next <paramref name="count"/> bytes; empty when they are not all there.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if ((uint)count > (uint)_rest.Length)
        {
            Fail("is cut short");
            return default;
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Bytes(_rest.Length);

    public byte U8() => Bytes(sizeof(byte)) is [var value] ? value : (byte)0;

    public ushort U16() => !TryTake(sizeof(ushort), out var field) ? (ushort)0
        : isLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(field) : BinaryPrimitives.ReadUInt16BigEndian(field);

    public uint U32() => !TryTake(sizeof(uint), out var field) ? 0
        : isLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(field) : BinaryPrimitives.ReadUInt32BigEndian(field);

    public ulong U64() => !TryTake(sizeof(ulong), out var field) ? 0
        : isLittleEndian ? BinaryPrimitives.ReadUInt64LittleEndian(field) : BinaryPrimitives.ReadUInt64BigEndian(field);

    public UInt128 U128() => !TryTake(16, out var field) ? 0
        : isLittleEndian ? BinaryPrimitives.ReadUInt128LittleEndian(field) : BinaryPrimitives.ReadUInt128BigEndian(field);

    /// <summary>16 bytes in the order in which a Guid is written, whatever the order of numbers.</summary>
    public Guid Guid() => TryTake(16, out var field) ? new Guid(field, bigEndian: true) : default;

    /// <summary>One byte, 0 or 1.</summary>
    public bool Flag()
    {
        var value = U8();
        if (value > 1)
            Fail("has a flag that is neither 0 nor 1");
        return value == 1;
    }

    /// <summary>A vector: a length of one byte, and as many bytes.</summary>
    public ReadOnlySpan<byte> Vector8() => Bytes(U8());

    /// <summary>A vector: a length of two bytes, and as many bytes.</summary>
    public ReadOnlySpan<byte> Vector16() => Bytes(U16());

    /// <summary>A <see cref="Vector8"/> of UTF-8; an empty one is null.</summary>
    public string? Text()
    {
        var utf8 = Vector8();
        try
        {
            return utf8.IsEmpty ? null : StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            Fail("has text that is not UTF-8");
            return null;
        }
    }

    private bool TryTake(int count, out ReadOnlySpan<byte> field)
    {
        field = Bytes(count);
        return field.Length == count;
    }
}
