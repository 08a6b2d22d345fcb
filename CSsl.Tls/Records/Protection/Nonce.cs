using System.Buffers.Binary;

namespace CSsl.Tls.Records.Protection;

/// <summary>The nonce that a sequence number makes with a fixed IV.</summary>
internal static class Nonce
{
    /// <summary>IV XOR sequence number, padded to the left (RFC 8446 section 5.3, RFC 7905 section 2). 12 bytes.</summary>
    public static void Xor(ReadOnlySpan<byte> iv, ulong sequence, Span<byte> nonce)
    {
        iv.CopyTo(nonce);
        var low = nonce[4..];
        BinaryPrimitives.WriteUInt64BigEndian(low, BinaryPrimitives.ReadUInt64BigEndian(low) ^ sequence);
    }
}
