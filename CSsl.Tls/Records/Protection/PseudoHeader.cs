using System.Buffers.Binary;

namespace CSsl.Tls.Records.Protection;

/// <summary>What TLS 1.2 authenticates beside the content: additional data of an AEAD, first bytes under an HMAC (RFC 5246 section 6.2.3).</summary>
/// <remarks>
/// <code>
///   0                 8      9         11       13
///   +-----------------+------+---------+--------+
///   | sequence number | type | version | length |
///   +-----------------+------+---------+--------+
/// </code>
/// </remarks>
internal static class PseudoHeader
{
    public const int Size = 8 + RecordHeader.Size;

    /// <param name="destination"><see cref="Size"/> bytes.</param>
    /// <param name="sequence">Sequence number of the record.</param>
    /// <param name="header">Its header on the wire: type and version are taken from it.</param>
    /// <param name="length">The length to authenticate: of the content, or of IV and ciphertext (encrypt-then-MAC).</param>
    public static void Write(Span<byte> destination, ulong sequence, RecordHeader header, int length)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, sequence);
        (header with { Length = length }).Write(destination[8..]);
    }
}
