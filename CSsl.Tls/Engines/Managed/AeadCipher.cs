using System.Diagnostics;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines.Managed;

/// <summary>
/// An expanded AEAD key, and nothing else of TLS: no nonce, no sequence number, no framing.
/// The tag is 16 bytes and the nonce 12 in every suite of C-SSL. One caller at a time.
/// </summary>
internal abstract class AeadCipher : IDisposable
{
    public static AeadCipher Create(CipherKind kind, ReadOnlySpan<byte> key) => kind switch
    {
        CipherKind.AesGcm => new AesGcmCipher(new AesGcm(key, CipherLengths.Tag)),
        CipherKind.ChaCha20Poly1305 => new ChaCha20Poly1305Cipher(new ChaCha20Poly1305(key)),
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

    private sealed class AesGcmCipher(AesGcm aes) : AeadCipher
    {
        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> additionalData)
            => aes.Encrypt(nonce, text, text, tag, additionalData);

        public override void Dispose() => aes.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData)
            => aes.Decrypt(nonce, ciphertext, tag, plaintext, additionalData);
    }

    private sealed class ChaCha20Poly1305Cipher(ChaCha20Poly1305 chaCha) : AeadCipher
    {
        public override void Encrypt(ReadOnlySpan<byte> nonce, Span<byte> text, Span<byte> tag, ReadOnlySpan<byte> additionalData)
            => chaCha.Encrypt(nonce, text, text, tag, additionalData);

        public override void Dispose() => chaCha.Dispose();

        protected override void Decrypt(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext, ReadOnlySpan<byte> additionalData)
            => chaCha.Decrypt(nonce, ciphertext, tag, plaintext, additionalData);
    }
}
