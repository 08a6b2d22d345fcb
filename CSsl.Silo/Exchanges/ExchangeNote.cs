using System.Buffers.Binary;
using System.Text;

namespace CSsl.Silo.Exchanges;

/// <summary>How far a response has come when a note is written.</summary>
internal enum NoteKind : byte
{
    /// <summary>Informational responses only; the final one has not begun.</summary>
    Informational = 0,

    /// <summary>The connection speaks another protocol from here on (101).</summary>
    Upgraded = 1,

    /// <summary>A response of known length.</summary>
    Response = 2,
}

/// <summary>What says that a representation is still the same one.</summary>
internal enum ValidatorKind : byte
{
    None = 0,
    ETag = 1,
    LastModified = 2,
}

/// <summary>
/// What another silo needs to know of a response that has begun. Sealed, it travels to the gateway before the response does
/// (<see cref="Link.FrameKind.ResponseNote"/>), and comes back in an <see cref="Link.Attach"/> if this silo is lost.
/// </summary>
/// <remarks>
/// Positions are application bytes since the checkpoint. Little-endian:
/// <code>
/// version u8 | kind u8 | checkpoint u64 | index u32 | request hash 16 | begin u64 | head end u64 | body length u64 | body offset u64 | total length i64 | validator kind u8 | length u8 + ASCII
/// </code>
/// </remarks>
internal sealed record ExchangeNote
{
    public const int RequestHashLength = 16;

    /// <summary>A validator that is longer is none.</summary>
    public const int MaxValidatorLength = byte.MaxValue;

    private const byte Version = 1;
    private const int FixedLength = 72;

    /// <summary>The most bytes of a note.</summary>
    public const int MaxLength = FixedLength + MaxValidatorLength;

    public required NoteKind Kind { get; init; }

    /// <summary>The client's record number at the checkpoint that everything here is counted from.</summary>
    public required ulong Checkpoint { get; init; }

    /// <summary>Which request since the checkpoint the response answers, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>See <see cref="RequestHash"/>.</summary>
    public required UInt128 RequestHash { get; init; }

    /// <summary>Where the response begins, behind the informational ones.</summary>
    public required long Begin { get; init; }

    /// <summary>Where its body begins.</summary>
    public long HeadEnd { get; init; }

    /// <summary>Bytes of its body.</summary>
    public long BodyLength { get; init; }

    /// <summary>Where in the representation its body begins: 0, or what Content-Range says.</summary>
    public long BodyOffset { get; init; }

    /// <summary>Length of the whole representation; -1 when the origin did not say.</summary>
    public long TotalLength { get; init; } = -1;

    public ValidatorKind ValidatorKind { get; init; }

    /// <summary>As it stands in the header field; empty when there is none.</summary>
    public string Validator { get; init; } = "";

    /// <summary>Where the response ends, or what there is of one.</summary>
    public long End => HeadEnd + BodyLength;

    /// <summary>Returns how many bytes it takes, at most <see cref="MaxLength"/>.</summary>
    public int Encode(Span<byte> bytes)
    {
        bytes[0] = Version;
        bytes[1] = (byte)Kind;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[2..], Checkpoint);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[10..], Index);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[14..], RequestHash);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[30..], Begin);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[38..], HeadEnd);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[46..], BodyLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[54..], BodyOffset);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[62..], TotalLength);
        bytes[70] = (byte)ValidatorKind;
        bytes[71] = (byte)Validator.Length;
        Encoding.ASCII.GetBytes(Validator, bytes[FixedLength..]);
        return FixedLength + Validator.Length;
    }

    /// <summary>Null when it is not of this version. What it says is true otherwise: only a silo can have sealed it.</summary>
    public static ExchangeNote? Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedLength || bytes[0] != Version || bytes.Length != FixedLength + bytes[71])
            return null;
        return new ExchangeNote
        {
            Kind = (NoteKind)bytes[1],
            Checkpoint = BinaryPrimitives.ReadUInt64LittleEndian(bytes[2..]),
            Index = BinaryPrimitives.ReadInt32LittleEndian(bytes[10..]),
            RequestHash = BinaryPrimitives.ReadUInt128LittleEndian(bytes[14..]),
            Begin = BinaryPrimitives.ReadInt64LittleEndian(bytes[30..]),
            HeadEnd = BinaryPrimitives.ReadInt64LittleEndian(bytes[38..]),
            BodyLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[46..]),
            BodyOffset = BinaryPrimitives.ReadInt64LittleEndian(bytes[54..]),
            TotalLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[62..]),
            ValidatorKind = (ValidatorKind)bytes[70],
            Validator = Encoding.ASCII.GetString(bytes[FixedLength..]),
        };
    }
}
