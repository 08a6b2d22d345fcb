using System.Security.Cryptography;

namespace CSsl.Tls.Sessions;

/// <summary>Seals sessions under the newest key of a ring and opens them under any of it. Thread-safe.</summary>
/// <remarks>
/// <code>
///  0        1        2          2+n       34+n                    -16        end
///  +--------+--------+----------+---------+-----------------------+----------+
///  | format | n      | key id   | salt    | session, encrypted    | tag      |
///  | (1)    | (1)    | (n)      | (32)    | (ExportedSessionCodec)| (16)     |
///  +--------+--------+----------+---------+-----------------------+----------+
///  '------ additional data, + session id -'
/// </code>
/// AES-256-GCM under a key of the capsule's own: HKDF-Expand (SHA-256) of the ring's key with the random salt in the info. A key seals
/// once, so its nonce may be zero, and no number of capsules brings two under the same key and nonce (random 12-byte nonces under one
/// key would, after some 2^32).
/// </remarks>
public sealed class SessionSealer : IDisposable
{
    private const byte Format = 1;
    private const int SaltLength = 32;
    private const int TagLength = 16;
    private const int SessionIdLength = 16;
    private const int MaxAdditionalLength = 2 + ClusterKeyRing.MaxIdLength + SaltLength + SessionIdLength;

    private readonly ClusterKeyRing _ring;

    /// <param name="ring">Takes ownership.</param>
    public SessionSealer(ClusterKeyRing ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        _ring = ring;
    }

    private static ReadOnlySpan<byte> KeyLabel => "c-ssl capsule 1"u8;

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Consumes <paramref name="session"/>: it is disposed whatever happens.</summary>
    /// <param name="session">The session to seal.</param>
    /// <param name="sessionId">Bound to the capsule: it opens under this id only.</param>
    /// <exception cref="ArgumentException">The session is not one that <see cref="ExportedSessionCodec"/> can encode.</exception>
    public SealedSession Seal(ExportedSession session, Guid sessionId)
    {
        ArgumentNullException.ThrowIfNull(session);
        using (session)
        {
            using var encoded = ExportedSessionCodec.Encode(session);
            var key = _ring.Newest;
            var headerLength = 2 + key.IdBytes.Length + SaltLength;
            var capsule = new byte[headerLength + encoded.Length + TagLength];

            capsule[0] = Format;
            capsule[1] = (byte)key.IdBytes.Length;
            key.IdBytes.CopyTo(capsule, 2);
            var header = capsule.AsSpan(0, headerLength);
            RandomNumberGenerator.Fill(header[^SaltLength..]);

            Span<byte> additional = stackalloc byte[MaxAdditionalLength];
            using var cipher = CreateCipher(key, header[^SaltLength..]);
            cipher.Encrypt(
                Nonce,
                encoded.Span,
                capsule.AsSpan(headerLength, encoded.Length),
                capsule.AsSpan(headerLength + encoded.Length),
                AdditionalData(header, sessionId, additional));
            return new SealedSession(capsule);
        }
    }

    /// <summary>Opens a capsule; the caller disposes the session.</summary>
    /// <exception cref="SealedSessionException">Unknown key id, not authentic, another session's, or an unknown codec version.</exception>
    public ExportedSession Open(ReadOnlySpan<byte> capsule, Guid sessionId)
    {
        if (capsule.Length < 2)
            throw new SealedSessionException("The capsule is truncated.");
        if (capsule[0] != Format)
            throw new SealedSessionException($"Capsule format {capsule[0]} is unknown here (this build opens {Format}).");

        var headerLength = 2 + capsule[1] + SaltLength;
        if (capsule[1] is 0 or > ClusterKeyRing.MaxIdLength || capsule.Length < headerLength + TagLength)
            throw new SealedSessionException("The capsule is truncated or malformed.");
        if (capsule.Length > headerLength + ExportedSessionCodec.MaxEncodedLength + TagLength)
            throw new SealedSessionException("The capsule is longer than any session.");
        if (!_ring.TryFind(capsule.Slice(2, capsule[1]), out var key))
            throw new SealedSessionException("The capsule is sealed under a key that is not in this silo's ring.");

        var encrypted = capsule[headerLength..^TagLength];
        using var encoded = new SecretBytes(encrypted.Length);
        Span<byte> additional = stackalloc byte[MaxAdditionalLength];
        var header = capsule[..headerLength];
        using var cipher = CreateCipher(key, header[^SaltLength..]);
        try
        {
            cipher.Decrypt(Nonce, encrypted, capsule[^TagLength..], encoded.Span, AdditionalData(header, sessionId, additional));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new SealedSessionException("The capsule is not authentic, or another session's.");
        }

        return ExportedSessionCodec.Decode(encoded.Span);
    }

    /// <summary>Wipes the ring.</summary>
    public void Dispose() => _ring.Dispose();

    private static AesGcm CreateCipher(ClusterKey key, ReadOnlySpan<byte> salt)
    {
        Span<byte> info = stackalloc byte[KeyLabel.Length + SaltLength];
        KeyLabel.CopyTo(info);
        salt.CopyTo(info[KeyLabel.Length..]);
        Span<byte> capsuleKey = stackalloc byte[ClusterKeyRing.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, key.Secret.Span, capsuleKey, info);
        var cipher = new AesGcm(capsuleKey, TagLength);
        CryptographicOperations.ZeroMemory(capsuleKey);
        return cipher;
    }

    private static Span<byte> AdditionalData(ReadOnlySpan<byte> header, Guid sessionId, Span<byte> buffer)
    {
        header.CopyTo(buffer);
        sessionId.TryWriteBytes(buffer[header.Length..], bigEndian: true, out var idLength);
        return buffer[..(header.Length + idLength)];
    }
}

/// <summary>A capsule that can't be opened here.</summary>
public sealed class SealedSessionException(string message) : Exception(message);
