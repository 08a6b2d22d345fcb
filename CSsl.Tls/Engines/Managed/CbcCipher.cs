using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

/// <summary>An expanded AES key in CBC mode, and nothing else of TLS: no padding, no MAC, no framing. One caller at a time.</summary>
internal sealed class CbcCipher : IDisposable
{
    private readonly Aes _aes = Aes.Create();
    private readonly RecordDirection _direction;

    public CbcCipher(ReadOnlySpan<byte> key, RecordDirection direction)
    {
        _aes.SetKey(key);
        _direction = direction;
    }

    /// <summary>Encrypts or decrypts whole blocks into <paramref name="target"/>, which is as long, and may be the source.</summary>
    public void Transform(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> source, Span<byte> target)
    {
        if (_direction == RecordDirection.Seal)
            _aes.EncryptCbc(source, iv, target, PaddingMode.None);
        else
            _aes.DecryptCbc(source, iv, target, PaddingMode.None);
    }

    public void Dispose() => _aes.Dispose();
}
