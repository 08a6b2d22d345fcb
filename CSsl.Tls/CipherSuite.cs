namespace CSsl.Tls;

/// <summary>The cipher suites that C-SSL negotiates (IANA "TLS Cipher Suites"). Nothing else is ever offered or accepted.</summary>
public enum CipherSuite : ushort
{
    Aes128GcmSha256 = 0x1301,
    Aes256GcmSha384 = 0x1302,
    ChaCha20Poly1305Sha256 = 0x1303,
    EcdheEcdsaAes128CbcSha256 = 0xC023,
    EcdheEcdsaAes256CbcSha384 = 0xC024,
    EcdheRsaAes128CbcSha256 = 0xC027,
    EcdheRsaAes256CbcSha384 = 0xC028,
    EcdheEcdsaAes128GcmSha256 = 0xC02B,
    EcdheEcdsaAes256GcmSha384 = 0xC02C,
    EcdheRsaAes128GcmSha256 = 0xC02F,
    EcdheRsaAes256GcmSha384 = 0xC030,
    EcdheRsaChaCha20Poly1305 = 0xCCA8,
    EcdheEcdsaChaCha20Poly1305 = 0xCCA9,
}
