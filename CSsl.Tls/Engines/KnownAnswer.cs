namespace CSsl.Tls.Engines;

/// <summary>What sealing must give, from elsewhere: a wrong answer that two engines agree on is found here.</summary>
/// <param name="Suite">One of those with this cipher.</param>
/// <param name="EncryptThenMac">CBC: the order.</param>
/// <param name="FirstKeyByte">The key counts up from here.</param>
/// <param name="Nonce">Nonce, or IV.</param>
/// <param name="AdditionalData">In hexadecimal, like the nonce and the answer.</param>
/// <param name="Text">ASCII.</param>
/// <param name="Sealed">Ciphertext and what follows it.</param>
internal sealed record KnownAnswer(
    CipherSuite Suite,
    bool EncryptThenMac,
    byte FirstKeyByte,
    string Nonce,
    string AdditionalData,
    string Text,
    string Sealed)
{
    /// <summary>The MAC key counts up from here.</summary>
    public const byte FirstMacKeyByte = 0x80;

    private const string Gallia = "Gallia est omnis divisa in partes tres";
    private const string CountedIv = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
    private const string CountedData = "d0d1d2d3d4d5d6d7d8d9dadbdc";

    /// <summary>AES-GCM: RFC 7714 sections 16.1.1 and 16.2.1. ChaCha20-Poly1305: RFC 8439 section 2.8.2. CBC, for which TLS has no vectors: put together
    /// from Python's hmac and <c>openssl enc</c>.</summary>
    public static IReadOnlyList<KnownAnswer> All { get; } =
    [
        new(CipherSuite.Aes128GcmSha256, false, 0, "51753c6580c2726f20718414", "8040f17b8041f8d35501a0b2", Gallia,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"),
        new(CipherSuite.Aes256GcmSha384, false, 0, "51753c6580c2726f20718414", "8040f17b8041f8d35501a0b2", Gallia,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"),
        new(CipherSuite.ChaCha20Poly1305Sha256, false, 0x80, "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            + "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"),
        new(CipherSuite.EcdheRsaAes128CbcSha256, false, 0, CountedIv, CountedData, Gallia,
            "d292777753526e402ca5f627d1fc05d2b64a72bdab2ef66210d467e646d3bff355edcd8e197d67df18eca870a6aaaf0a3bfb8e2e5c9fe46f7db8192833118fa9"
            + "14456865f08bcbdc4e99a823d461351c"),
        new(CipherSuite.EcdheRsaAes128CbcSha256, true, 0, CountedIv, CountedData, Gallia,
            "d292777753526e402ca5f627d1fc05d2b64a72bdab2ef66210d467e646d3bff309b74b6df26364dc716ea586154cf7c3550cd36c89b9cae060d5bac1def0d31f"
            + "20556bc3d3335a31d14bc07f7c10a82c"),
        new(CipherSuite.EcdheRsaAes256CbcSha384, false, 0, CountedIv, CountedData, Gallia,
            "00760b9fd2575da2de095ea7c7743bf0d18cf59ca36de305784b81ba258fe621c2b35b97c6d15c7b93a6b7a7333a75b48cd723bae8376e66141f7c765084ef1a"
            + "4fa0d3fd963db1b4f668ae0b8c0f71d0fe59211dabfcf430b6478fb83f181190"),
        new(CipherSuite.EcdheRsaAes256CbcSha384, true, 0, CountedIv, CountedData, Gallia,
            "00760b9fd2575da2de095ea7c7743bf0d18cf59ca36de305784b81ba258fe6216558dae9afc6e965c336aa64ab962588df2bb454959433769c01edd54f23eee5"
            + "324657844bb1e339cd2bbbe9a25097b7776b9c6020b0d9e172d96e77e688f10e"),
    ];
}
