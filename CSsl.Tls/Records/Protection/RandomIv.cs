using System.Security.Cryptography;

namespace CSsl.Tls.Records.Protection;

/// <summary>Explicit IVs of CBC: random, drawn many at once, because asking the generator costs as much as encrypting half a kilobyte.</summary>
/// <remarks>Each thread has a store of its own, and what was taken from it is overwritten: an IV is no secret once it is sent, but is one until then
/// (RFC 5246 section 6.2.3.2 wants it unpredictable).</remarks>
internal static class RandomIv
{
    private const int StoreLength = 4096;

    [ThreadStatic]
    private static byte[]? t_store;

    [ThreadStatic]
    private static int t_left;

    /// <summary>Fills <paramref name="iv"/>.</summary>
    public static void Fill(Span<byte> iv)
    {
        var store = t_store ??= new byte[StoreLength];
        if (t_left < iv.Length)
        {
            RandomNumberGenerator.Fill(store);
            t_left = StoreLength;
        }

        var next = store.AsSpan(t_left -= iv.Length, iv.Length);
        next.CopyTo(iv);
        next.Clear();
    }
}
