namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>OpenSSL's names of the suites.</summary>
internal static class CipherSuiteNames
{
    /// <summary>TLS 1.3 suites (SSL_CTX_set_ciphersuites) are numbered 0x13xx; all others are TLS 1.2's (SSL_CTX_set_cipher_list).</summary>
    public static bool IsTls13(CipherSuite suite) => (ushort)suite >> 8 == 0x13;

    /// <summary>The suites of one version, joined as OpenSSL wants them; empty without any.</summary>
    /// <exception cref="ArgumentException">A number that is no suite of ours.</exception>
    public static string Join(IEnumerable<CipherSuite> suites, bool tls13)
        => string.Join(':', suites.Where(suite => IsTls13(suite) == tls13).Select(NameOf));

    private static string NameOf(CipherSuite suite) => suite switch
    {
        CipherSuite.Aes128GcmSha256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite.Aes256GcmSha384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite.ChaCha20Poly1305Sha256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite.EcdheEcdsaAes128CbcSha256 => "ECDHE-ECDSA-AES128-SHA256",
        CipherSuite.EcdheEcdsaAes256CbcSha384 => "ECDHE-ECDSA-AES256-SHA384",
        CipherSuite.EcdheRsaAes128CbcSha256 => "ECDHE-RSA-AES128-SHA256",
        CipherSuite.EcdheRsaAes256CbcSha384 => "ECDHE-RSA-AES256-SHA384",
        CipherSuite.EcdheEcdsaAes128GcmSha256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite.EcdheEcdsaAes256GcmSha384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite.EcdheRsaAes128GcmSha256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite.EcdheRsaAes256GcmSha384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite.EcdheRsaChaCha20Poly1305 => "ECDHE-RSA-CHACHA20-POLY1305",
        CipherSuite.EcdheEcdsaChaCha20Poly1305 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        _ => throw new ArgumentException($"Cipher suite 0x{(ushort)suite:X4} is none that C-SSL negotiates."),
    };
}
