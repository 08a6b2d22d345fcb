using CSsl.Tls;

namespace CSsl.Bench.Engines;

/// <summary>A suite to seal records with.</summary>
/// <param name="Name">For tables.</param>
/// <param name="Suite">The suite.</param>
/// <param name="EncryptThenMac">CBC: RFC 7366.</param>
/// <param name="OpenSsl">Arguments of <c>openssl speed</c> for what is nearest; of two, the times are added.</param>
internal sealed record EngineCase(string Name, CipherSuite Suite, bool EncryptThenMac, params string[] OpenSsl)
{
    /// <summary>One of each cipher. TLS 1.2 with GCM and ChaCha20 differs by eight bytes per record.</summary>
    public static IReadOnlyList<EngineCase> All { get; } =
    [
        new("AES-128-GCM", CipherSuite.Aes128GcmSha256, false, "-aead -evp aes-128-gcm"),
        new("AES-256-GCM", CipherSuite.Aes256GcmSha384, false, "-aead -evp aes-256-gcm"),
        new("ChaCha20-Poly1305", CipherSuite.ChaCha20Poly1305Sha256, false, "-aead -evp chacha20-poly1305"),
        new("AES-256-CBC, HMAC-SHA384", CipherSuite.EcdheRsaAes256CbcSha384, false, "-evp aes-256-cbc", "-hmac sha384"),
        new("AES-256-CBC, HMAC-SHA384, encrypt-then-MAC", CipherSuite.EcdheRsaAes256CbcSha384, true, "-evp aes-256-cbc", "-hmac sha384"),
        new("AES-128-CBC, HMAC-SHA256", CipherSuite.EcdheRsaAes128CbcSha256, false, "-evp aes-128-cbc", "-hmac sha256"),
    ];
}

/// <summary>How the records come.</summary>
/// <param name="Size">Bytes of plaintext in each.</param>
/// <param name="Connections">Connections that have some to send.</param>
internal readonly record struct EngineLoad(int Size, int Connections)
{
    // With fewer connections than this, each has several records to send: a response of some length.
    private const int FewestRecords = 16;

    public static readonly int[] Sizes = [256, 1024, 4096, 16384];
    public static readonly int[] ConnectionCounts = [1, 8, 64];

    /// <summary>Records that wait at a time: what a batch is made of.</summary>
    public int Records => Math.Max(Connections, FewestRecords);
}
