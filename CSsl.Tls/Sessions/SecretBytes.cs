using System.Security.Cryptography;

namespace CSsl.Tls.Sessions;

/// <summary>Secret bytes in pinned memory, which the garbage collector never copies; zeroed on dispose.</summary>
public sealed class SecretBytes : IDisposable
{
    private byte[]? _bytes;

    /// <summary>A buffer of <paramref name="length"/> zero bytes, to be filled through <see cref="Span"/>.</summary>
    public SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>A copy of <paramref name="source"/>, which stays the caller's to wipe.</summary>
    public SecretBytes(ReadOnlySpan<byte> source) : this(source.Length) => source.CopyTo(_bytes);

    /// <summary>No secret; disposing it has no effect.</summary>
    public static SecretBytes Empty { get; } = new(0);

    public int Length => Bytes.Length;

    /// <exception cref="ObjectDisposedException">The secret was wiped.</exception>
    public Span<byte> Span => Bytes;

    /// <summary>The secret, for those that can't take a span; all zero after the end.</summary>
    /// <exception cref="ObjectDisposedException">The secret was wiped.</exception>
    public ReadOnlyMemory<byte> Memory => Bytes;

    private byte[] Bytes => _bytes ?? throw new ObjectDisposedException(nameof(SecretBytes));

    public void Dispose()
    {
        if (_bytes is { Length: > 0 } bytes)
        {
            CryptographicOperations.ZeroMemory(bytes);
            _bytes = null;
        }
    }

    /// <summary>Never the secret.</summary>
    public override string ToString() => "SecretBytes";
}
