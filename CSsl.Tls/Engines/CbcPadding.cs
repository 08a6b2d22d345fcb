using System.Security.Cryptography;
using CSsl.Tls.Engines.Managed;

namespace CSsl.Tls.Engines;

/// <summary>The padding of CBC records: p + 1 bytes of value p (RFC 5246 section 6.2.3.2).</summary>
internal static class CbcPadding
{
    /// <summary>The most that padding and its length byte may take.</summary>
    private const int MaxLength = 256;

    /// <summary>Length of whole blocks that hold so much and the shortest padding.</summary>
    public static int PaddedLength(int length) => (length / CipherLengths.Block + 1) * CipherLengths.Block;

    /// <summary>Fills what follows the first <paramref name="used"/> bytes: 1 to 16 of them.</summary>
    public static void Append(Span<byte> text, int used) => text[used..].Fill((byte)(text.Length - used - 1));

    /// <summary>Checks the padding in constant time: a mask, and the padding's length, length byte included; 0 if it is bad.</summary>
    /// <param name="text">The decrypted blocks, of a length that is no secret.</param>
    /// <param name="macLength">Bytes that the padding must leave.</param>
    /// <param name="padding">A secret, like the answer.</param>
    public static uint Check(ReadOnlySpan<byte> text, int macLength, out int padding)
    {
        var value = text[^1];
        var good = ~ConstantTime.Less(text.Length, macLength + value + 1);

        // Always looks at as many bytes as a padding could have.
        var candidates = Math.Min(MaxLength, text.Length);
        var difference = 0u;
        for (var i = 0; i < candidates; i++)
        {
            var isPadding = ~ConstantTime.Less(value, i);
            difference |= isPadding & (uint)(value ^ text[text.Length - 1 - i]);
        }

        good &= ConstantTime.Equal((int)difference, 0);
        padding = (int)(good & (uint)(value + 1));
        return good;
    }

    /// <summary>Copies <paramref name="mac"/> from <paramref name="start"/>, which is a secret, in constant time.</summary>
    /// <remarks>
    /// Reads every byte where the MAC can be, into a ring of its length, and then turns the ring by the place where it began,
    /// a power of two at a time (as BoringSSL's tls_cbc.cc does): no address depends on the start.
    /// </remarks>
    public static void ExtractMac(ReadOnlySpan<byte> text, int start, Span<byte> mac)
    {
        Span<byte> storage = stackalloc byte[2 * CipherLengths.MaxMac];
        storage.Clear();
        var ring = storage[..mac.Length];
        var turned = storage.Slice(CipherLengths.MaxMac, mac.Length);
        var end = start + mac.Length;
        var offset = 0u;
        var at = 0;
        for (var i = Math.Max(0, text.Length - mac.Length - MaxLength); i < text.Length; i++)
        {
            var inMac = ~ConstantTime.Less(i, start) & ConstantTime.Less(i, end);
            ring[at] |= (byte)(text[i] & inMac);
            offset |= (uint)at & ConstantTime.Equal(i, start);
            at = at + 1 == mac.Length ? 0 : at + 1;
        }

        for (var step = 1; step < mac.Length; step <<= 1, offset >>= 1)
        {
            var turn = (byte)(0 - (offset & 1));
            for (var i = 0; i < mac.Length; i++)
            {
                var from = i + step < mac.Length ? i + step : i + step - mac.Length;
                turned[i] = (byte)((ring[from] & turn) | (ring[i] & ~turn));
            }

            var last = ring;
            ring = turned;
            turned = last;
        }

        ring.CopyTo(mac);
        CryptographicOperations.ZeroMemory(storage);
    }
}
