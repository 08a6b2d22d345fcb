namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>Gives a ticket's keys to OpenSSL's contexts: AES-256-CBC, and HMAC-SHA-256 over the ciphertext (RFC 5077 section 4).</summary>
internal static unsafe class TicketCipher
{
    /// <summary>Answers of the callback.</summary>
    public const int Failed = -1, Unknown = 0, Ok = 1, OkButRenew = 2;

    // Fetched once: EVP_aes_256_cbc() would be looked up in each handshake.
    private static readonly nint Aes256Cbc = LibCrypto.EVP_CIPHER_fetch(0, "AES-256-CBC", null);

    private static ReadOnlySpan<byte> KeyParameter => "key\0"u8;

    private static ReadOnlySpan<byte> DigestParameter => "digest\0"u8;

    private static ReadOnlySpan<byte> Sha256 => "SHA256\0"u8;

    /// <param name="key">A <see cref="TicketKey"/>.</param>
    /// <param name="iv">16 bytes.</param>
    /// <param name="cipher">An EVP_CIPHER_CTX.</param>
    /// <param name="mac">An EVP_MAC_CTX of HMAC.</param>
    /// <param name="encrypt">Or decrypt.</param>
    public static bool Begin(ReadOnlySpan<byte> key, byte* iv, nint cipher, nint mac, bool encrypt)
    {
        fixed (byte* macKey = key.Slice(TicketKey.NameLength, TicketKey.MacKeyLength))
        fixed (byte* cipherKey = key.Slice(TicketKey.NameLength + TicketKey.MacKeyLength, TicketKey.CipherKeyLength))
        fixed (byte* keyName = KeyParameter, digestName = DigestParameter, digest = Sha256)
        {
            var parameters = stackalloc OsslParam[3];
            parameters[0] = OsslParam.Bytes(keyName, macKey, TicketKey.MacKeyLength);
            parameters[1] = OsslParam.Text(digestName, digest, (nuint)Sha256.Length - 1);
            parameters[2] = default;
            return LibCrypto.EVP_MAC_CTX_set_params(mac, parameters) == 1
                && LibCrypto.EVP_CipherInit_ex(cipher, Aes256Cbc, 0, cipherKey, iv, encrypt ? 1 : 0) == 1;
        }
    }
}
