using System.Buffers.Binary;

namespace CSsl.Tls.Records;

/// <summary>Why bytes are not, or not yet, a record that may be passed on.</summary>
public enum RecordStatus
{
    /// <summary>A valid header, and the whole record is there.</summary>
    Complete,

    /// <summary>Not enough bytes yet; what is there could still become a record.</summary>
    NeedMore,

    /// <summary>The first byte is no content type: the peer does not speak TLS.</summary>
    NotTls,

    /// <summary>The version's major byte is not 3.</summary>
    BadVersion,

    /// <summary>The length is above the limit of the version.</summary>
    Overflow,

    /// <summary>A length of zero where the type does not allow it.</summary>
    Empty,
}

/// <summary>The five bytes before every record.</summary>
/// <remarks>
/// <code>
///   0      1         3        5
///   +------+---------+--------+-------------------
///   | type | version | length | fragment (length bytes)
///   +------+---------+--------+-------------------
/// </code>
/// </remarks>
public readonly record struct RecordHeader(ContentType Type, ushort Version, int Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 5;

    /// <summary>The most ciphertext a TLS 1.3 record may hold: 2^14 + 256 (RFC 8446 section 5.2).</summary>
    public const int MaxCiphertext13 = (1 << 14) + 256;

    /// <summary>The most ciphertext a TLS 1.2 record may hold: 2^14 + 2048 (RFC 5246 section 6.2.3).</summary>
    public const int MaxCiphertext12 = (1 << 14) + 2048;

    /// <summary>The most a record may hold before keys are in use: 2^14.</summary>
    public const int MaxPlaintext = 1 << 14;

    private const int MajorVersion = 3;

    /// <summary>Length of the record, header included.</summary>
    public int TotalLength => Size + Length;

    /// <summary>Reads the header of the record at the start of <paramref name="bytes"/>, without consuming anything.</summary>
    /// <param name="bytes">Bytes as they came from the wire; may end anywhere.</param>
    /// <param name="maxLength">The limit of the phase: <see cref="MaxPlaintext"/>, <see cref="MaxCiphertext12"/> or <see cref="MaxCiphertext13"/>.</param>
    /// <param name="header">Valid with <see cref="RecordStatus.Complete"/>, and with <see cref="RecordStatus.NeedMore"/> once 5 bytes are there.</param>
    /// <remarks>
    /// A fault shows as soon as its byte is there. Only application data may be empty (RFC 8446 section 5.1, RFC 5246 section 6.2.1);
    /// that is a rule about the fragment before encryption: an encrypted record of length 0 passes here and fails to authenticate.
    /// </remarks>
    public static RecordStatus Peek(ReadOnlySpan<byte> bytes, int maxLength, out RecordHeader header)
    {
        header = default;
        if (bytes.IsEmpty)
            return RecordStatus.NeedMore;
        var type = (ContentType)bytes[0];
        if (type is < ContentType.ChangeCipherSpec or > ContentType.ApplicationData)
            return RecordStatus.NotTls;
        if (bytes.Length > 1 && bytes[1] != MajorVersion)
            return RecordStatus.BadVersion;
        if (bytes.Length < Size)
            return RecordStatus.NeedMore;

        header = new RecordHeader(type, BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]));
        if (header.Length > maxLength)
            return RecordStatus.Overflow;
        if (header.Length == 0 && type != ContentType.ApplicationData)
            return RecordStatus.Empty;
        return bytes.Length < header.TotalLength ? RecordStatus.NeedMore : RecordStatus.Complete;
    }

    /// <summary>The alert that answers a refusal of <see cref="Peek"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="status"/> is no refusal.</exception>
    public static AlertDescription AlertFor(RecordStatus status) => status switch
    {
        RecordStatus.NotTls or RecordStatus.Empty => AlertDescription.UnexpectedMessage,
        RecordStatus.BadVersion => AlertDescription.ProtocolVersion,
        RecordStatus.Overflow => AlertDescription.RecordOverflow,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a refusal."),
    };

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], Version);
        BinaryPrimitives.WriteUInt16BigEndian(destination[3..], (ushort)Length);
    }
}

/// <summary>The first byte of a TLS record (RFC 8446 section 5.1).</summary>
public enum ContentType : byte
{
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
}
