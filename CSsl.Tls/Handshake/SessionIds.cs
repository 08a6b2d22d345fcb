using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake;

/// <summary>
/// Makes TLS 1.2 session ids that every silo of the cluster knows for the cluster's own: a session is looked up for such an id only, so that
/// made-up ids cost an HMAC and not a question to the cluster. Thread-safe.
/// </summary>
/// <remarks>
/// <code>
///  0             16                             32
///  | random (16) | HMAC-SHA256(key, random)[..16] |
/// </code>
/// </remarks>
/// <param name="key">32 bytes; takes ownership.</param>
public sealed class SessionIds(SecretBytes key) : IDisposable
{
    /// <summary>Length of an id: the most that TLS 1.2 has (RFC 5246 section 7.4.1.2).</summary>
    public const int Length = 32;

    /// <summary>Length of the key.</summary>
    public const int KeyLength = 32;

    /// <summary>The label under which the key is derived from the cluster's key ring.</summary>
    public const string KeyLabel = "c-ssl tls session ids 1";

    private const int RandomLength = 16;

    /// <summary>Writes a new id.</summary>
    /// <param name="destination"><see cref="Length"/> bytes.</param>
    public void Generate(Span<byte> destination)
    {
        RandomNumberGenerator.Fill(destination[..RandomLength]);
        Mark(destination[..RandomLength], destination[RandomLength..]);
    }

    /// <summary>Whether a silo of the cluster made the id.</summary>
    public bool IsOurs(ReadOnlySpan<byte> id)
    {
        if (id.Length != Length)
            return false;
        Span<byte> mark = stackalloc byte[Length - RandomLength];
        Mark(id[..RandomLength], mark);
        return CryptographicOperations.FixedTimeEquals(mark, id[RandomLength..]);
    }

    public void Dispose() => key.Dispose();

    private void Mark(ReadOnlySpan<byte> random, Span<byte> mark)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key.Span, random, whole);
        whole[..mark.Length].CopyTo(mark);
    }
}
