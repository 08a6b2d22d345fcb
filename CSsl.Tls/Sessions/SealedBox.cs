using System.Security.Cryptography;

namespace CSsl.Tls.Sessions;

/// <summary>Bytes that only who has the key ring can read, for one purpose and one owner: sealed under the ring's newest key, opened under any of it.</summary>
/// <remarks>
/// <code>
///  0        1        2          2+n       34+n                    -16        end
///  +--------+--------+----------+---------+-----------------------+----------+
///  | format | n      | key id   | salt    | content, encrypted    | tag      |
///  | (1)    | (1)    | (n)      | (32)    |                       | (16)     |
///  +--------+--------+----------+---------+-----------------------+----------+
///  '------ additional data, + what it is bound to -'
/// </code>
/// AES-256-GCM under a key of the box's own: HKDF-Expand (SHA-256) of the ring's key with label and random salt in the info. A key seals
/// once, so its nonce may be zero, and no number of boxes brings two under the same key and nonce (random 12-byte nonces under one
/// key would, after some 2^32).
/// </remarks>
internal static class SealedBox
{
    /// <summary>The most bytes of a label, and of what a box is bound to.</summary>
    public const int MaxLabelLength = 64;

    private const byte Format = 1;
    private const int SaltLength = 32;
    private const int TagLength = 16;
    private const int MaxHeaderLength = 2 + ClusterKeyRing.MaxIdLength + SaltLength;

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Seals <paramref name="content"/>, which stays the caller's to wipe.</summary>
    /// <param name="ring">Its newest key seals.</param>
    /// <param name="label">What for: opens under the same label only.</param>
    /// <param name="content">The secret.</param>
    /// <param name="boundTo">Whose: opens with the same bytes only; not secret, not in the box.</param>
    public static byte[] Seal(ClusterKeyRing ring, ReadOnlySpan<byte> label, ReadOnlySpan<byte> content, ReadOnlySpan<byte> boundTo)
    {
        var key = ring.Newest;
        var headerLength = 2 + key.IdBytes.Length + SaltLength;
        var box = new byte[headerLength + content.Length + TagLength];

        box[0] = Format;
        box[1] = (byte)key.IdBytes.Length;
        key.IdBytes.CopyTo(box, 2);
        var header = box.AsSpan(0, headerLength);
        RandomNumberGenerator.Fill(header[^SaltLength..]);

        Span<byte> additional = stackalloc byte[MaxHeaderLength + MaxLabelLength];
        using var cipher = CreateCipher(key, label, header[^SaltLength..]);
        cipher.Encrypt(Nonce, content, box.AsSpan(headerLength, content.Length), box.AsSpan(headerLength + content.Length), AdditionalData(header, boundTo, additional));
        return box;
    }

    /// <summary>Opens a box; the caller disposes the content.</summary>
    /// <exception cref="SealedSessionException">Unknown key id, not authentic, of another purpose or owner, or longer than <paramref name="maxLength"/>.</exception>
    public static SecretBytes Open(ClusterKeyRing ring, ReadOnlySpan<byte> label, ReadOnlySpan<byte> box, ReadOnlySpan<byte> boundTo, int maxLength)
    {
        if (box.Length < 2)
            throw new SealedSessionException("The capsule is truncated.");
        if (box[0] != Format)
            throw new SealedSessionException($"Capsule format {box[0]} is unknown here (this build opens {Format}).");

        var headerLength = 2 + box[1] + SaltLength;
        if (box[1] is 0 or > ClusterKeyRing.MaxIdLength || box.Length < headerLength + TagLength)
            throw new SealedSessionException("The capsule is truncated or malformed.");
        if (box.Length > headerLength + maxLength + TagLength)
            throw new SealedSessionException("The capsule is longer than any session.");
        if (!ring.TryFind(box.Slice(2, box[1]), out var key))
            throw new SealedSessionException("The capsule is sealed under a key that is not in this silo's ring.");

        var encrypted = box[headerLength..^TagLength];
        var content = new SecretBytes(encrypted.Length);
        Span<byte> additional = stackalloc byte[MaxHeaderLength + MaxLabelLength];
        var header = box[..headerLength];
        using var cipher = CreateCipher(key, label, header[^SaltLength..]);
        try
        {
            cipher.Decrypt(Nonce, encrypted, box[^TagLength..], content.Span, AdditionalData(header, boundTo, additional));
            return content;
        }
        catch (AuthenticationTagMismatchException)
        {
            content.Dispose();
            throw new SealedSessionException("The capsule is not authentic, or another session's.");
        }
    }

    internal static AesGcm CreateCipher(ClusterKey key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> salt)
    {
        Span<byte> info = stackalloc byte[label.Length + SaltLength];
        label.CopyTo(info);
        salt.CopyTo(info[label.Length..]);
        Span<byte> boxKey = stackalloc byte[ClusterKeyRing.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, key.Secret.Span, boxKey, info);
        var cipher = new AesGcm(boxKey, TagLength);
        CryptographicOperations.ZeroMemory(boxKey);
        return cipher;
    }

    internal static Span<byte> AdditionalData(ReadOnlySpan<byte> header, ReadOnlySpan<byte> boundTo, Span<byte> buffer)
    {
        header.CopyTo(buffer);
        boundTo.CopyTo(buffer[header.Length..]);
        return buffer[..(header.Length + boundTo.Length)];
    }
}
