using System.Security.Cryptography;

namespace CSsl.Tls.Keys;

/// <summary>The TLS 1.2 pseudo-random function: P_hash(secret, label + seed) (RFC 5246 section 5).</summary>
internal static class Tls12Prf
{
    private const int MaxHashLength = 48;

    /// <summary>Fills <paramref name="output"/>; the seed is <paramref name="seed1"/> followed by <paramref name="seed2"/> and <paramref name="seed3"/>.</summary>
    public static void Expand(HashAlgorithmName hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> seed1, ReadOnlySpan<byte> seed2, ReadOnlySpan<byte> seed3, Span<byte> output)
    {
        using var hmac = IncrementalHash.CreateHMAC(hash, secret);
        Span<byte> a = stackalloc byte[MaxHashLength];
        Span<byte> block = stackalloc byte[MaxHashLength];
        a = a[..hmac.HashLengthInBytes];

        // A(1) = HMAC(secret, label + seed)
        AppendSeed(hmac, label, seed1, seed2, seed3);
        hmac.GetHashAndReset(a);
        while (true)
        {
            // HMAC(secret, A(i) + label + seed)
            hmac.AppendData(a);
            AppendSeed(hmac, label, seed1, seed2, seed3);
            hmac.GetHashAndReset(block);
            var take = Math.Min(a.Length, output.Length);
            block[..take].CopyTo(output);
            output = output[take..];
            if (output.IsEmpty)
                break;

            // A(i + 1) = HMAC(secret, A(i))
            hmac.AppendData(a);
            hmac.GetHashAndReset(a);
        }

        CryptographicOperations.ZeroMemory(a);
        CryptographicOperations.ZeroMemory(block);
    }

    private static void AppendSeed(IncrementalHash hmac, ReadOnlySpan<byte> label, ReadOnlySpan<byte> seed1, ReadOnlySpan<byte> seed2, ReadOnlySpan<byte> seed3)
    {
        hmac.AppendData(label);
        hmac.AppendData(seed1);
        hmac.AppendData(seed2);
        hmac.AppendData(seed3);
    }
}
