using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records.Protection.Cbc;

/// <summary>An expanded AES key in CBC mode, and nothing else of TLS: no padding, no MAC, no framing. One caller at a time.</summary>
internal sealed class CbcCipher : IDisposable
{
    public const int BlockLength = 16;

    private readonly Aes _aes = Aes.Create();

    public CbcCipher(SecretBytes key) => _aes.SetKey(key.Span);

    /// <summary>Encrypts whole blocks in place.</summary>
    public void Encrypt(ReadOnlySpan<byte> iv, Span<byte> text) => _aes.EncryptCbc(text, iv, text, PaddingMode.None);

    /// <summary>Decrypts whole blocks into <paramref name="plaintext"/>, which is as long.</summary>
    public void Decrypt(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
        => _aes.DecryptCbc(ciphertext, iv, plaintext, PaddingMode.None);

    public void Dispose() => _aes.Dispose();
}
