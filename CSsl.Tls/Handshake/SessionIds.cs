using System.Security.Cryptography;

namespace CSsl.Tls.Handshake;

/// <summary>
/// TLS 1.2 session ids that every silo of the cluster knows for the cluster's own: a session is looked up for such an id only, so that
/// made-up ids cost an HMAC for each key of the ring and not a question to the cluster.
/// </summary>
/// <remarks>
/// <code>
///  0             16                             32
///  | random (16) | HMAC-SHA256(key, random)[..16] |
/// </code>
/// The key is that of the <see cref="TicketKey"/> that is issued under, and an id is known for as long as tickets under that key open.
/// </remarks>
internal static class SessionIds
{
    /// <summary>Length of an id: the most that TLS 1.2 has (RFC 5246 section 7.4.1.2).</summary>
    public const int Length = 32;

    /// <summary>Length of a key.</summary>
    public const int KeyLength = 32;

    private const int RandomLength = 16;

    /// <summary>Writes a new id.</summary>
    /// <param name="key"><see cref="KeyLength"/> bytes.</param>
    /// <param name="destination"><see cref="Length"/> bytes.</param>
    public static void Generate(ReadOnlySpan<byte> key, Span<byte> destination)
    {
        RandomNumberGenerator.Fill(destination[..RandomLength]);
        Mark(key, destination[..RandomLength], destination[RandomLength..]);
    }

    /// <summary>Whether the id was made under the key.</summary>
    public static bool IsMadeUnder(ReadOnlySpan<byte> key, ReadOnlySpan<byte> id)
    {
        if (id.Length != Length)
            return false;
        Span<byte> mark = stackalloc byte[Length - RandomLength];
        Mark(key, id[..RandomLength], mark);
        return CryptographicOperations.FixedTimeEquals(mark, id[RandomLength..]);
    }

    private static void Mark(ReadOnlySpan<byte> key, ReadOnlySpan<byte> random, Span<byte> mark)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, random, whole);
        whole[..mark.Length].CopyTo(mark);
    }
}
