using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace CSsl.Tls.Sessions;

/// <summary>Seals what only silos may read, wherever it goes: capsules and notes to gateways, ticket keys and sessions into the database. Sealed under the key
/// that the cluster seals under, opened under any that is in the ring. Thread-safe.</summary>
/// <remarks>
/// <code>
///  0        1        2          2+n       34+n      42+n                    -16        end
///  +--------+--------+----------+---------+---------+-----------------------+----------+
///  | format | n      | key id   | salt    | number  | content, encrypted    | tag      |
///  | (1)    | (1)    | (n)      | (32)    | (8)     |                       | (16)     |
///  +--------+--------+----------+---------+---------+-----------------------+----------+
///  '------ additional data, + what it is bound to --'
/// </code>
/// AES-256-GCM. Its key is HKDF-Expand (SHA-256) of the ring's key, with the purpose's label and a random salt in the info; its nonce is the number of the box under
/// that salt, big-endian. So no two boxes of a cluster have the same key and nonce, and whoever seals derives a key once per series and not once per box.
/// </remarks>
public sealed class Sealer : IDisposable
{
    /// <summary>The most bytes that something is bound to.</summary>
    public const int MaxBoundLength = 64;

    private const byte Format = 2;
    private const int SaltLength = 32;
    private const int NumberLength = sizeof(ulong);
    private const int TagLength = 16;
    private const int NonceLength = 12;
    private const int MaxHeaderLength = 2 + ClusterKeyRing.MaxIdLength + SaltLength + NumberLength;

    private readonly SharedKeyRing _keys;
    private readonly ConcurrentDictionary<SealingPurpose, ConcurrentBag<Series>> _series = [];
    private volatile bool _isDisposed;

    /// <param name="keys">Takes ownership.</param>
    /// <param name="time">Says when something is sealed; null for the system's.</param>
    public Sealer(SharedKeyRing keys, TimeProvider? time = null)
    {
        Time = time ?? TimeProvider.System;
        _keys = keys;
        _keys.Changed += Forget;
    }

    /// <summary>The clock for what has an age.</summary>
    internal TimeProvider Time { get; }

    /// <summary>Seals <paramref name="content"/>, which stays the caller's to wipe.</summary>
    /// <param name="purpose">What it is.</param>
    /// <param name="content">The secret.</param>
    /// <param name="boundTo">Whose it is, at most <see cref="MaxBoundLength"/> bytes: it opens with the same bytes only. They are not in the result.</param>
    public byte[] Seal(SealingPurpose purpose, ReadOnlySpan<byte> content, ReadOnlySpan<byte> boundTo = default)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, purpose.MaxLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(boundTo.Length, MaxBoundLength);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var unused = _series.GetOrAdd(purpose, static _ => []);
        var series = unused.TryTake(out var kept) && kept.Generation == _keys.Generation ? kept : Begin(purpose, kept);
        try
        {
            return series.Seal(content, boundTo);
        }
        finally
        {
            unused.Add(series);
            if (_isDisposed || series.Generation != _keys.Generation)
                Forget();
        }
    }

    /// <summary>Opens what <see cref="Seal"/> made, here or on another silo of the cluster; the caller disposes the content.</summary>
    /// <exception cref="SealedSessionException">Sealed under a key that is not here, not authentic, for another purpose or owner, or too long.</exception>
    public SecretBytes Open(SealingPurpose purpose, ReadOnlySpan<byte> box, ReadOnlySpan<byte> boundTo = default)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(boundTo.Length, MaxBoundLength);
        var keyId = KeyIdOf(box);
        var headerLength = 2 + keyId.Length + SaltLength + NumberLength;
        if (box.Length < headerLength + TagLength)
            throw new SealedSessionException("The sealed bytes are truncated.");
        if (box.Length > headerLength + purpose.MaxLength + TagLength)
            throw new SealedSessionException($"The sealed bytes are more than the {purpose.MaxLength} that there can be.");

        var header = box[..headerLength];
        using var cipher = CipherOf(keyId, purpose, header.Slice(2 + keyId.Length, SaltLength));
        var content = new SecretBytes(box.Length - headerLength - TagLength);
        try
        {
            cipher.Decrypt(NonceOf(header, stackalloc byte[NonceLength]), box[headerLength..^TagLength], box[^TagLength..], content.Span,
                AdditionalData(header, boundTo, stackalloc byte[MaxHeaderLength + MaxBoundLength]));
            return content;
        }
        catch (AuthenticationTagMismatchException)
        {
            content.Dispose();
            throw new SealedSessionException("The sealed bytes are not authentic, or somebody else's.");
        }
    }

    /// <summary>Whether something is sealed under the key that seals now. If not, it is time to seal it again: its key may be taken out of the ring.</summary>
    /// <exception cref="SealedSessionException">It is nothing that <see cref="Seal"/> made.</exception>
    public bool IsCurrent(ReadOnlySpan<byte> box)
    {
        var keyId = KeyIdOf(box);
        using var borrowed = _keys.Borrow();
        return keyId.SequenceEqual(borrowed.Sealing.IdBytes);
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _keys.Changed -= Forget;
        Forget();
        _keys.Dispose();
    }

    /// <summary>The id of the key that something is sealed under; false: it is nothing that <see cref="Seal"/> made.</summary>
    internal static bool TryGetKeyId(ReadOnlySpan<byte> box, out ReadOnlySpan<byte> keyId)
    {
        var isBox = box.Length >= 2 && box[0] == Format && box[1] is > 0 and <= ClusterKeyRing.MaxIdLength && box.Length >= 2 + box[1];
        keyId = isBox ? box.Slice(2, box[1]) : default;
        return isBox;
    }

    private static ReadOnlySpan<byte> KeyIdOf(ReadOnlySpan<byte> box)
    {
        if (TryGetKeyId(box, out var keyId))
            return keyId;
        throw new SealedSessionException(box.IsEmpty || box[0] == Format ? "The sealed bytes are truncated or malformed." : $"Sealed format {box[0]} is unknown here (this build opens {Format}).");
    }

    private static AesGcm Derive(ClusterKey key, SealingPurpose purpose, ReadOnlySpan<byte> salt)
    {
        Span<byte> info = stackalloc byte[purpose.Label.Length + SaltLength];
        purpose.Label.CopyTo(info);
        salt.CopyTo(info[purpose.Label.Length..]);
        Span<byte> derived = stackalloc byte[ClusterKeyRing.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, key.Secret.Span, derived, info);
        var cipher = new AesGcm(derived, TagLength);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }

    private static ReadOnlySpan<byte> NonceOf(ReadOnlySpan<byte> header, Span<byte> nonce)
    {
        nonce.Clear();
        header[^NumberLength..].CopyTo(nonce[^NumberLength..]);
        return nonce;
    }

    private static ReadOnlySpan<byte> AdditionalData(ReadOnlySpan<byte> header, ReadOnlySpan<byte> boundTo, Span<byte> buffer)
    {
        header.CopyTo(buffer);
        boundTo.CopyTo(buffer[header.Length..]);
        return buffer[..(header.Length + boundTo.Length)];
    }

    /// <summary>A series under the key that seals now, in the place of one that is under another.</summary>
    private Series Begin(SealingPurpose purpose, Series? old)
    {
        old?.Dispose();
        using var borrowed = _keys.Borrow();
        var key = borrowed.Sealing;
        var header = new byte[2 + key.IdBytes.Length + SaltLength + NumberLength];
        header[0] = Format;
        header[1] = (byte)key.IdBytes.Length;
        key.IdBytes.CopyTo(header, 2);
        var salt = header.AsSpan(2 + key.IdBytes.Length, SaltLength);
        RandomNumberGenerator.Fill(salt);
        return new Series(Derive(key, purpose, salt), header, borrowed.Generation);
    }

    private AesGcm CipherOf(ReadOnlySpan<byte> keyId, SealingPurpose purpose, ReadOnlySpan<byte> salt)
    {
        using var borrowed = _keys.Borrow();
        return borrowed.TryFind(keyId, out var key)
            ? Derive(key, purpose, salt)
            : throw new SealedSessionException("It is sealed under a key that is not in this silo's ring.");
    }

    /// <summary>Wipes the keys of the series that nobody is at; whoever is, does it when it is done.</summary>
    private void Forget()
    {
        foreach (var unused in _series.Values)
        {
            while (unused.TryTake(out var series))
                series.Dispose();
        }
    }

    /// <summary>Boxes under one salt. Used by one thread at a time.</summary>
    private sealed class Series(AesGcm cipher, byte[] header, int generation) : IDisposable
    {
        // 2^64 boxes take longer than the cluster will.
        private ulong _nextNumber;

        public int Generation { get; } = generation;

        public byte[] Seal(ReadOnlySpan<byte> content, ReadOnlySpan<byte> boundTo)
        {
            BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(^NumberLength..), _nextNumber++);
            var box = new byte[header.Length + content.Length + TagLength];
            header.CopyTo(box, 0);
            cipher.Encrypt(NonceOf(header, stackalloc byte[NonceLength]), content, box.AsSpan(header.Length, content.Length), box.AsSpan(header.Length + content.Length),
                AdditionalData(header, boundTo, stackalloc byte[MaxHeaderLength + MaxBoundLength]));
            return box;
        }

        public void Dispose() => cipher.Dispose();
    }
}

/// <summary>Sealed bytes that can't be opened here.</summary>
public sealed class SealedSessionException(string message) : Exception(message);
