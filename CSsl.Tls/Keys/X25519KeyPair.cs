using System.Security.Cryptography;
using CSsl.Tls.Handshake.OpenSsl;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Keys;

/// <summary>A key pair of X25519 (RFC 7748 section 5), to be used once: .NET has none, so it is OpenSSL's. The private key is wiped on dispose.</summary>
public sealed unsafe class X25519KeyPair : IDisposable
{
    /// <summary>Bytes of a public key, of a private key and of what two of them share.</summary>
    public const int KeyLength = 32;

    private readonly SafeKeyHandle _key;
    private readonly byte[] _publicKey = new byte[KeyLength];

    private X25519KeyPair(ReadOnlySpan<byte> privateKey)
    {
        fixed (byte* bytes = privateKey)
            _key = LibCrypto.EVP_PKEY_new_raw_private_key_ex(0, Algorithm, null, bytes, (nuint)privateKey.Length);
        nuint length = KeyLength;
        fixed (byte* bytes = _publicKey)
        {
            if (!_key.IsInvalid && LibCrypto.EVP_PKEY_get_raw_public_key(_key, bytes, &length) == 1 && length == KeyLength)
                return;
        }

        _key.Dispose();
        throw new CryptographicException($"OpenSSL can't make an X25519 key: {OpenSslError.Take()}");
    }

    /// <summary>To be given to the other side; no secret.</summary>
    public ReadOnlyMemory<byte> PublicKey => _publicKey;

    private static string Algorithm => "X25519";

    /// <summary>A new pair.</summary>
    /// <exception cref="CryptographicException">OpenSSL has no X25519.</exception>
    public static X25519KeyPair Create()
    {
        using var privateKey = new SecretBytes(KeyLength);
        RandomNumberGenerator.Fill(privateKey.Span);
        return From(privateKey.Span);
    }

    /// <summary>The pair of a private key, which stays the caller's to wipe.</summary>
    internal static X25519KeyPair From(ReadOnlySpan<byte> privateKey) => new(privateKey);

    /// <summary>What this private key and that public key have in common. It is no key yet: an attacker can tell it from random bytes (RFC 7748 section 7).</summary>
    /// <param name="publicKey">The other side's, <see cref="KeyLength"/> bytes: any.</param>
    /// <param name="shared">The secret; the caller disposes it.</param>
    /// <returns>False: the public key is one of the few that share zeros with everybody (RFC 7748 section 6.1).</returns>
    public bool TryAgree(ReadOnlySpan<byte> publicKey, out SecretBytes shared)
    {
        LibCrypto.ERR_clear_error();
        shared = new SecretBytes(KeyLength);
        fixed (byte* theirs = publicKey)
        {
            using var peer = LibCrypto.EVP_PKEY_new_raw_public_key_ex(0, Algorithm, null, theirs, (nuint)publicKey.Length);
            if (!peer.IsInvalid && TryDerive(peer, shared.Span) && shared.Span.ContainsAnyExcept((byte)0))
                return true;
        }

        LibCrypto.ERR_clear_error();
        shared.Dispose();
        return false;
    }

    public void Dispose() => _key.Dispose();

    private bool TryDerive(SafeKeyHandle peer, Span<byte> shared)
    {
        var context = LibCrypto.EVP_PKEY_CTX_new_from_pkey(0, _key, null);
        try
        {
            nuint length = KeyLength;
            fixed (byte* bytes = shared)
            {
                return context != 0
                    && LibCrypto.EVP_PKEY_derive_init(context) == 1
                    && LibCrypto.EVP_PKEY_derive_set_peer(context, peer) == 1
                    && LibCrypto.EVP_PKEY_derive(context, bytes, &length) == 1
                    && length == KeyLength;
            }
        }
        finally
        {
            LibCrypto.EVP_PKEY_CTX_free(context);
        }
    }
}
