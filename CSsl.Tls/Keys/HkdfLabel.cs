using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CSsl.Tls.Keys;

/// <summary>HKDF-Expand-Label (RFC 8446 section 7.1).</summary>
/// <remarks>
/// <code>
///   0        2     3                     3+n   4+n
///   +--------+-----+---------------------+-----+---------+
///   | length |  n  | "tls13 " + label    |  m  | context |
///   +--------+-----+---------------------+-----+---------+
/// </code>
/// </remarks>
internal static class HkdfLabel
{
    private static ReadOnlySpan<byte> Prefix => "tls13 "u8;

    /// <summary>Fills <paramref name="output"/> with HKDF-Expand-Label(secret, label, context, output.Length).</summary>
    /// <exception cref="ArgumentException">Label (with its prefix) or context longer than 255 bytes.</exception>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        var labelLength = Prefix.Length + label.Length;
        if (labelLength > byte.MaxValue)
            throw new ArgumentException("A label has at most 249 bytes.", nameof(label));
        if (context.Length > byte.MaxValue)
            throw new ArgumentException("A context has at most 255 bytes.", nameof(context));

        Span<byte> info = stackalloc byte[2 + 1 + byte.MaxValue + 1 + byte.MaxValue];
        BinaryPrimitives.WriteUInt16BigEndian(info, checked((ushort)output.Length));
        info[2] = (byte)labelLength;
        Prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + Prefix.Length)..]);
        info[3 + labelLength] = (byte)context.Length;
        context.CopyTo(info[(4 + labelLength)..]);

        HKDF.Expand(hash, secret, output, info[..(4 + labelLength + context.Length)]);
    }
}
