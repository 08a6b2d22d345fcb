using CSsl.Tls;
using CSsl.Tls.Sessions;

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

    private static readonly SealingPurpose Purpose = new("c-ssl note 1", MaxLength);

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

    /// <summary>Seals it so that only silos can read it, and only for the session that it is about.</summary>
    public byte[] Seal(Sealer sealer, Guid sessionId)
    {
        Span<byte> encoded = stackalloc byte[MaxLength];
        return sealer.Seal(Purpose, encoded[..Encode(encoded)], sessionId);
    }

    /// <summary>Null when it can't be opened: it is another session's, damaged, or under a key that is not in the ring.</summary>
    public static ExchangeNote? TryOpen(Sealer sealer, ReadOnlySpan<byte> sealedNote, Guid sessionId)
    {
        try
        {
            using var opened = sealer.Open(Purpose, sealedNote, sessionId);
            return Decode(opened.Span);
        }
        catch (SealedSessionException)
        {
            return null;
        }
    }

    /// <summary>Returns how many bytes it takes, at most <see cref="MaxLength"/>.</summary>
    public int Encode(Span<byte> bytes)
    {
        var writer = new WireWriter(bytes, isLittleEndian: true);
        writer.U8(Version);
        writer.U8((byte)Kind);
        writer.U64(Checkpoint);
        writer.U32((uint)Index);
        writer.U128(RequestHash);
        writer.U64((ulong)Begin);
        writer.U64((ulong)HeadEnd);
        writer.U64((ulong)BodyLength);
        writer.U64((ulong)BodyOffset);
        writer.U64((ulong)TotalLength);
        writer.U8((byte)ValidatorKind);
        writer.Text(Validator);
        return writer.Written.Length;
    }

    /// <summary>Null when it is not of this version. What it says is true otherwise: only a silo can have sealed it.</summary>
    public static ExchangeNote? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes, isLittleEndian: true);
        if (reader.U8() != Version)
            return null;
        var note = new ExchangeNote
        {
            Kind = (NoteKind)reader.U8(),
            Checkpoint = reader.U64(),
            Index = (int)reader.U32(),
            RequestHash = reader.U128(),
            Begin = (long)reader.U64(),
            HeadEnd = (long)reader.U64(),
            BodyLength = (long)reader.U64(),
            BodyOffset = (long)reader.U64(),
            TotalLength = (long)reader.U64(),
            ValidatorKind = (ValidatorKind)reader.U8(),
            Validator = reader.Text() ?? "",
        };
        reader.End();
        return reader.Fault is null ? note : null;
    }
}
