using System.Text;

namespace CSsl.Tls.Sessions;

/// <summary>Seals the secrets that a cluster keeps outside of its silos' memory: in its database, in the answers of grains. Thread-safe.</summary>
public sealed class SecretSealer : IDisposable
{
    /// <summary>The most bytes of a secret.</summary>
    public const int MaxLength = 16 * 1024;

    private readonly SharedKeyRing _keys;
    private readonly bool _ownsKeys;

    /// <param name="ring">Takes ownership.</param>
    public SecretSealer(ClusterKeyRing ring)
        : this(new SharedKeyRing(ring)) => _ownsKeys = true;

    /// <param name="keys">Stay the caller's.</param>
    public SecretSealer(SharedKeyRing keys) => _keys = keys;

    /// <summary>Seals a secret, which stays the caller's to wipe.</summary>
    /// <param name="purpose">What it is for: it opens under the same purpose only. ASCII, 1 to 64 characters, never the label of a derived key.</param>
    /// <param name="secret">At most <see cref="MaxLength"/> bytes.</param>
    /// <param name="boundTo">Whose it is, at most 64 bytes: it opens with the same bytes only. They are not in the result.</param>
    public byte[] Seal(string purpose, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> boundTo = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, MaxLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(boundTo.Length, SealedBox.MaxLabelLength);
        Span<byte> label = stackalloc byte[SealedBox.MaxLabelLength];
        using var borrowed = _keys.Borrow();
        return SealedBox.Seal(borrowed.Ring, LabelOf(purpose, label), secret, boundTo);
    }

    /// <summary>Opens what <see cref="Seal"/> made, here or on another silo of the cluster; the caller disposes the secret.</summary>
    /// <exception cref="SealedSessionException">Unknown key id, not authentic, of another purpose or owner, or too long.</exception>
    public SecretBytes Open(string purpose, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> boundTo = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(boundTo.Length, SealedBox.MaxLabelLength);
        Span<byte> label = stackalloc byte[SealedBox.MaxLabelLength];
        using var borrowed = _keys.Borrow();
        return SealedBox.Open(borrowed.Ring, LabelOf(purpose, label), sealedBytes, boundTo, MaxLength);
    }

    /// <inheritdoc cref="ClusterKeyRing.Derive"/>
    public SecretBytes Derive(string label, int length) => _keys.Derive(label, length);

    /// <summary>Wipes the ring, if it was given one of its own.</summary>
    public void Dispose()
    {
        if (_ownsKeys)
            _keys.Dispose();
    }

    private static Span<byte> LabelOf(string purpose, Span<byte> buffer)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(purpose.Length, SealedBox.MaxLabelLength);
        return buffer[..Encoding.ASCII.GetBytes(purpose, buffer)];
    }
}
