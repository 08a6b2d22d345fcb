using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CSsl.Tests.Support;

/// <summary>What the sample origin serves at /bytes/{n}.</summary>
internal static class OriginContent
{
    private static readonly Lazy<string> LazyGibibyte = new(() => Sha256(1 << 30));

    /// <summary>SHA-256 of /bytes/1073741824.</summary>
    public static string Gibibyte => LazyGibibyte.Value;

    /// <summary>SHA-256 of /bytes/{length}, in lower-case hex.</summary>
    public static string Sha256(long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[64 * 1024];
        for (long at = 0; at < length; at += block.Length)
        {
            Fill(block, at);
            hash.AppendData(block.AsSpan(0, (int)Math.Min(block.Length, length - at)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>SHA-256 of bytes, in lower-case hex.</summary>
    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // Written anew from its description, so that the origin's own generator is checked too: eight bytes, little-endian, are the
    // SplitMix64 output of their index.
    private static void Fill(Span<byte> block, long offset)
    {
        for (int i = 0; i < block.Length; i += 8)
        {
            ulong z = ((ulong)(offset + i) / 8 + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            BinaryPrimitives.WriteUInt64LittleEndian(block[i..], z ^ (z >> 31));
        }
    }
}
