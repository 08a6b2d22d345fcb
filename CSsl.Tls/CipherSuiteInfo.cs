using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace CSsl.Tls;

/// <summary>How a suite protects records.</summary>
public enum CipherKind
{
    /// <summary>AES in Galois/Counter Mode (RFC 5288, RFC 8446).</summary>
    AesGcm,

    /// <summary>ChaCha20-Poly1305 (RFC 7905, RFC 8446).</summary>
    ChaCha20Poly1305,

    /// <summary>AES in CBC mode with an HMAC, before (RFC 5246) or after (RFC 7366) the encryption.</summary>
    AesCbc,
}

/// <summary>What a suite's number stands for: names and lengths (in bytes). One instance per suite.</summary>
public sealed record CipherSuiteInfo
{
    public required CipherSuite Suite { get; init; }
    public required TlsVersion Version { get; init; }
    public required CipherKind Kind { get; init; }

    /// <summary>The hash of the key schedule, and of the HMAC of CBC suites.</summary>
    public required HashAlgorithmName Hash { get; init; }

    /// <summary>The encryption key.</summary>
    public required int KeyLength { get; init; }

    /// <summary>The name in the IANA registry, e.g. "TLS_AES_128_GCM_SHA256".</summary>
    public required string IanaName { get; init; }

    /// <summary>The name that <c>openssl ciphers</c> knows; OpenSSL configures TLS 1.3 suites apart from the others.</summary>
    public required string OpenSslName { get; init; }

    /// <summary>Output of <see cref="Hash"/>, and length of a TLS 1.3 secret.</summary>
    public int HashLength => Hash == HashAlgorithmName.SHA384 ? 48 : 32;

    /// <summary>The part of the nonce that comes from the key schedule: none for CBC, whose IVs are random.</summary>
    public int FixedIvLength => Kind switch
    {
        CipherKind.AesCbc => 0,
        CipherKind.AesGcm when Version == TlsVersion.Tls12 => 4,
        _ => 12,
    };

    /// <summary>What each record carries in the clear before its ciphertext: the explicit nonce (GCM in TLS 1.2) or IV (CBC).</summary>
    public int ExplicitIvLength => Kind switch
    {
        CipherKind.AesCbc => 16,
        CipherKind.AesGcm when Version == TlsVersion.Tls12 => 8,
        _ => 0,
    };

    /// <summary>The HMAC key, which is as long as the HMAC: CBC suites only.</summary>
    public int MacLength => Kind == CipherKind.AesCbc ? HashLength : 0;

    public bool IsAead => Kind != CipherKind.AesCbc;

    /// <summary>All suites of <see cref="CipherSuite"/>, the preferred ones first.</summary>
    public static IReadOnlyList<CipherSuiteInfo> All { get; } =
    [
        Tls13(CipherSuite.Aes128GcmSha256, CipherKind.AesGcm, 16, HashAlgorithmName.SHA256, "TLS_AES_128_GCM_SHA256"),
        Tls13(CipherSuite.Aes256GcmSha384, CipherKind.AesGcm, 32, HashAlgorithmName.SHA384, "TLS_AES_256_GCM_SHA384"),
        Tls13(CipherSuite.ChaCha20Poly1305Sha256, CipherKind.ChaCha20Poly1305, 32, HashAlgorithmName.SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
        Ecdhe(CipherSuite.EcdheEcdsaAes128GcmSha256, CipherKind.AesGcm, 16, HashAlgorithmName.SHA256, "ECDSA_WITH_AES_128_GCM_SHA256", "ECDSA-AES128-GCM-SHA256"),
        Ecdhe(CipherSuite.EcdheRsaAes128GcmSha256, CipherKind.AesGcm, 16, HashAlgorithmName.SHA256, "RSA_WITH_AES_128_GCM_SHA256", "RSA-AES128-GCM-SHA256"),
        Ecdhe(CipherSuite.EcdheEcdsaAes256GcmSha384, CipherKind.AesGcm, 32, HashAlgorithmName.SHA384, "ECDSA_WITH_AES_256_GCM_SHA384", "ECDSA-AES256-GCM-SHA384"),
        Ecdhe(CipherSuite.EcdheRsaAes256GcmSha384, CipherKind.AesGcm, 32, HashAlgorithmName.SHA384, "RSA_WITH_AES_256_GCM_SHA384", "RSA-AES256-GCM-SHA384"),
        Ecdhe(CipherSuite.EcdheEcdsaChaCha20Poly1305, CipherKind.ChaCha20Poly1305, 32, HashAlgorithmName.SHA256, "ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDSA-CHACHA20-POLY1305"),
        Ecdhe(CipherSuite.EcdheRsaChaCha20Poly1305, CipherKind.ChaCha20Poly1305, 32, HashAlgorithmName.SHA256, "RSA_WITH_CHACHA20_POLY1305_SHA256", "RSA-CHACHA20-POLY1305"),
        Ecdhe(CipherSuite.EcdheEcdsaAes256CbcSha384, CipherKind.AesCbc, 32, HashAlgorithmName.SHA384, "ECDSA_WITH_AES_256_CBC_SHA384", "ECDSA-AES256-SHA384"),
        Ecdhe(CipherSuite.EcdheRsaAes256CbcSha384, CipherKind.AesCbc, 32, HashAlgorithmName.SHA384, "RSA_WITH_AES_256_CBC_SHA384", "RSA-AES256-SHA384"),
        Ecdhe(CipherSuite.EcdheEcdsaAes128CbcSha256, CipherKind.AesCbc, 16, HashAlgorithmName.SHA256, "ECDSA_WITH_AES_128_CBC_SHA256", "ECDSA-AES128-SHA256"),
        Ecdhe(CipherSuite.EcdheRsaAes128CbcSha256, CipherKind.AesCbc, 16, HashAlgorithmName.SHA256, "RSA_WITH_AES_128_CBC_SHA256", "RSA-AES128-SHA256"),
    ];

    private static readonly FrozenDictionary<CipherSuite, CipherSuiteInfo> BySuite = All.ToFrozenDictionary(info => info.Suite);

    /// <exception cref="ArgumentOutOfRangeException">The number is none of ours.</exception>
    public static CipherSuiteInfo Get(CipherSuite suite)
        => TryGet(suite, out var info) ? info : throw new ArgumentOutOfRangeException(nameof(suite), $"0x{(ushort)suite:x4} is not a suite of C-SSL.");

    /// <summary>False when the number is none of ours.</summary>
    public static bool TryGet(CipherSuite suite, [NotNullWhen(true)] out CipherSuiteInfo? info)
        => BySuite.TryGetValue(suite, out info);

    private static CipherSuiteInfo Tls13(CipherSuite suite, CipherKind kind, int keyLength, HashAlgorithmName hash, string name) => new()
    {
        Suite = suite,
        Version = TlsVersion.Tls13,
        Kind = kind,
        Hash = hash,
        KeyLength = keyLength,
        IanaName = name,
        OpenSslName = name,
    };

    private static CipherSuiteInfo Ecdhe(CipherSuite suite, CipherKind kind, int keyLength, HashAlgorithmName hash, string iana, string openSsl) => new()
    {
        Suite = suite,
        Version = TlsVersion.Tls12,
        Kind = kind,
        Hash = hash,
        KeyLength = keyLength,
        IanaName = "TLS_ECDHE_" + iana,
        OpenSslName = "ECDHE-" + openSsl,
    };
}

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

/// <summary>The protocol versions that C-SSL negotiates, by their number on the wire.</summary>
public enum TlsVersion : ushort
{
    Tls12 = 0x0303,
    Tls13 = 0x0304,
}
