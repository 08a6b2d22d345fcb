using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CSsl.Tls.Sessions;

/// <summary>Seals small things that are made many times a second, for one purpose: as a <see cref="SealedBox"/>, but a thread keeps the key of a series of boxes instead
/// of deriving one for each. Thread-safe.</summary>
/// <remarks>
/// <code>
///  0        1        2          2+n       34+n      42+n                    -16        end
///  +--------+--------+----------+---------+---------+-----------------------+----------+
///  | format | n      | key id   | salt    | number  | content, encrypted    | tag      |
///  | (1)    | (1)    | (n)      | (32)    | (8)     |                       | (16)     |
///  +--------+--------+----------+---------+---------+-----------------------+----------+
///  '------ additional data, + what it is bound to --'
/// </code>
/// AES-256-GCM under a key of the series' own (its random salt), with the number of the box in the series, big-endian, as nonce.
/// </remarks>
public sealed class SeriesSealer : IDisposable
{
    private const byte Format = 2;
    private const int SaltLength = 32;
    private const int NumberLength = sizeof(ulong);
    private const int TagLength = 16;
    private const int NonceLength = 12;
    private const int MaxHeaderLength = 2 + ClusterKeyRing.MaxIdLength + SaltLength + NumberLength;

    private readonly SharedKeyRing _keys;
    private readonly byte[] _label;
    private readonly ThreadLocal<Series?> _series = new(trackAllValues: true);

    /// <param name="keys">Stay the caller's.</param>
    /// <param name="label">What for: opens under the same label only. ASCII, at most 64 bytes, never that of another kind of box or of a derived key.</param>
    public SeriesSealer(SharedKeyRing keys, ReadOnlySpan<byte> label)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(label.Length, SealedBox.MaxLabelLength);
        (_keys, _label) = (keys, label.ToArray());
    }

    /// <summary>Seals <paramref name="content"/>, which stays the caller's to wipe.</summary>
    /// <param name="content">The secret.</param>
    /// <param name="boundTo">Whose it is, at most 64 bytes: it opens with the same bytes only. They are not in the result.</param>
    public byte[] Seal(ReadOnlySpan<byte> content, ReadOnlySpan<byte> boundTo)
    {
        var series = Current();
        var headerLength = series.Header.Length;
        var box = new byte[headerLength + content.Length + TagLength];
        var header = box.AsSpan(0, headerLength);
        series.Header.CopyTo(header);
        BinaryPrimitives.WriteUInt64BigEndian(header[^NumberLength..], series.NextNumber++);
        Span<byte> nonce = stackalloc byte[NonceLength];
        Span<byte> additional = stackalloc byte[MaxHeaderLength + SealedBox.MaxLabelLength];
        series.Cipher.Encrypt(NonceOf(header, nonce), content, box.AsSpan(headerLength, content.Length), box.AsSpan(headerLength + content.Length), SealedBox.AdditionalData(header, boundTo, additional));
        return box;
    }

    /// <summary>Opens what <see cref="Seal"/> made, here or on another silo of the cluster; the caller disposes the content.</summary>
    /// <exception cref="SealedSessionException">Unknown key id, not authentic, or of another purpose or owner.</exception>
    public SecretBytes Open(ReadOnlySpan<byte> box, ReadOnlySpan<byte> boundTo)
    {
        if (box.Length < 2 || box[0] != Format || box[1] is 0 or > ClusterKeyRing.MaxIdLength)
            throw new SealedSessionException("Not a sealed box of a series.");
        var headerLength = 2 + box[1] + SaltLength + NumberLength;
        if (box.Length < headerLength + TagLength)
            throw new SealedSessionException("The sealed box is truncated.");

        using var cipher = CipherOf(box.Slice(2, box[1]), box.Slice(2 + box[1], SaltLength));
        var header = box[..headerLength];
        var content = new SecretBytes(box.Length - headerLength - TagLength);
        Span<byte> nonce = stackalloc byte[NonceLength];
        Span<byte> additional = stackalloc byte[MaxHeaderLength + SealedBox.MaxLabelLength];
        try
        {
            cipher.Decrypt(NonceOf(header, nonce), box[headerLength..^TagLength], box[^TagLength..], content.Span, SealedBox.AdditionalData(header, boundTo, additional));
            return content;
        }
        catch (AuthenticationTagMismatchException)
        {
            content.Dispose();
            throw new SealedSessionException("The sealed box is not authentic, or somebody else's.");
        }
    }

    /// <summary>Wipes the keys of the series.</summary>
    public void Dispose()
    {
        foreach (var series in _series.Values)
            series?.Cipher.Dispose();
        _series.Dispose();
    }

    private static ReadOnlySpan<byte> NonceOf(ReadOnlySpan<byte> header, Span<byte> nonce)
    {
        nonce.Clear();
        header[^NumberLength..].CopyTo(nonce[^NumberLength..]);
        return nonce;
    }

    // A series ends with the ring whose key it comes from.
    private Series Current()
    {
        if (_series.Value is { } current && current.Generation == _keys.Generation)
            return current;
        _series.Value?.Cipher.Dispose();
        using var borrowed = _keys.Borrow();
        var key = borrowed.Ring.Newest;
        var header = new byte[2 + key.IdBytes.Length + SaltLength + NumberLength];
        header[0] = Format;
        header[1] = (byte)key.IdBytes.Length;
        key.IdBytes.CopyTo(header, 2);
        var salt = header.AsSpan(2 + key.IdBytes.Length, SaltLength);
        RandomNumberGenerator.Fill(salt);
        return _series.Value = new Series(SealedBox.CreateCipher(key, _label, salt), header, borrowed.Generation);
    }

    private AesGcm CipherOf(ReadOnlySpan<byte> keyId, ReadOnlySpan<byte> salt)
    {
        using var borrowed = _keys.Borrow();
        return borrowed.Ring.TryFind(keyId, out var key)
            ? SealedBox.CreateCipher(key, _label, salt)
            : throw new SealedSessionException("The box is sealed under a key that is not in this silo's ring.");
    }

    /// <summary>One thread's.</summary>
    private sealed class Series(AesGcm cipher, byte[] header, int generation)
    {
        public AesGcm Cipher { get; } = cipher;

        /// <summary>Of all its boxes, but for the number.</summary>
        public byte[] Header { get; } = header;

        public int Generation { get; } = generation;

        // 2^64 boxes take longer than the cluster will.
        public ulong NextNumber { get; set; }
    }
}
