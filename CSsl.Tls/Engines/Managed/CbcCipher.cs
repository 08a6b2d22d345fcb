using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

/// <summary>An expanded AES key in CBC mode, and nothing else of TLS: no padding, no MAC, no framing. One caller at a time.</summary>
/// <remarks>
/// .NET's one-shot methods expand the key for every message, and allocate. A transform does so once, but has no way to take a new IV: it goes on from
/// the last block of ciphertext that it saw. So that block is known here, and taken back: CBC begins with <c>first block XOR IV</c>, and what the
/// transform does is <c>XOR last block</c>; the first block is given to it with both.
/// </remarks>
internal sealed class CbcCipher : IDisposable
{
    // A record of TLS 1.2, at most.
    private const int MaxLength = (1 << 14) + 2048;

    [ThreadStatic]
    private static byte[]? t_scratch;

    private readonly Aes _aes = Aes.Create();
    private readonly ICryptoTransform _transform;
    private readonly RecordDirection _direction;
    private Vector128<byte> _lastBlock;

    public CbcCipher(ReadOnlySpan<byte> key, RecordDirection direction)
    {
        _aes.SetKey(key);
        _aes.Mode = CipherMode.CBC;
        _aes.Padding = PaddingMode.None;
        _direction = direction;
        _aes.IV = new byte[CipherLengths.Block];
        _transform = direction == RecordDirection.Seal ? _aes.CreateEncryptor() : _aes.CreateDecryptor();
    }

    /// <summary>Encrypts or decrypts whole blocks into <paramref name="target"/>, which is as long, and may be the source.</summary>
    public void Transform(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> source, Span<byte> target)
    {
        // Transforms take arrays only.
        var scratch = t_scratch ??= GC.AllocateUninitializedArray<byte>(MaxLength, pinned: true);
        var text = scratch.AsSpan(0, source.Length);
        var correction = Vector128.Create(iv) ^ _lastBlock;
        source.CopyTo(text);
        if (_direction == RecordDirection.Seal)
            Correct(text, correction);
        else
            _lastBlock = Vector128.Create((ReadOnlySpan<byte>)text[^CipherLengths.Block..]);

        _transform.TransformBlock(scratch, 0, text.Length, scratch, 0);
        if (_direction == RecordDirection.Seal)
            _lastBlock = Vector128.Create((ReadOnlySpan<byte>)text[^CipherLengths.Block..]);
        else
            Correct(text, correction);

        text.CopyTo(target);
        if (_direction == RecordDirection.Open)
            CryptographicOperations.ZeroMemory(text);
    }

    public void Dispose()
    {
        _transform.Dispose();
        _aes.Dispose();
    }

    private static void Correct(Span<byte> text, Vector128<byte> correction)
        => (Vector128.Create((ReadOnlySpan<byte>)text[..CipherLengths.Block]) ^ correction).CopyTo(text);
}
