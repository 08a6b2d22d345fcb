using System.Diagnostics;
using System.Security.Cryptography;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records.Protection;

/// <summary>
/// An expanded AEAD key, and nothing else of TLS: no nonce, no sequence number, no framing.
/// The tag is 16 bytes and the nonce 12 in every suite of C-SSL. One caller at a time.
/// </summary>
internal abstract class AeadCipher : IDisposable
{
    public const int TagLength = 16;
    public const int NonceLength = 12;

    public static AeadCipher Create(CipherKind kind, SecretBytes key) => kind switch
    {
        CipherKind.AesGcm => new AesGcmCipher(key),
        CipherKind.ChaCha20Poly1305 => new ChaCha20Poly1305Cipher(key),
        _ => throw new UnreachableException(),
    };

    /// <summary>Encrypts <paramref name="text"/> in place and fills <paramref name="tag"/>.</summary>
    public abstract void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> additionalData);

    /// <summary>Decrypts into <paramref name="plaintext"/>, as long as the ciphertext; false (and zeros in it) when it is not authentic.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData)
    {
        try
        {
            Decrypt(nonce, ciphertext, tag, plaintext, additionalData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public abstract void Dispose();

    protected abstract void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData);

    private sealed class AesGcmCipher(SecretBytes key) : AeadCipher
    {
        private readonly AesGcm _aes = new(key.Span, TagLength);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> additionalData)
            => _aes.Encrypt(nonce, text, text, tag, additionalData);

        public override void Dispose() => _aes.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData)
            => _aes.Decrypt(nonce, ciphertext, tag, plaintext, additionalData);
    }

    private sealed class ChaCha20Poly1305Cipher(SecretBytes key) : AeadCipher
    {
        private readonly ChaCha20Poly1305 _chaCha = new(key.Span);

        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> additionalData)
            => _chaCha.Encrypt(nonce, text, text, tag, additionalData);

        public override void Dispose() => _chaCha.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData)
            => _chaCha.Decrypt(nonce, ciphertext, tag, plaintext, additionalData);
    }
}
