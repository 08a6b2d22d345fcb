namespace CSsl.Tls.Engines;

/// <summary>Lengths in bytes that are the same in every suite of C-SSL.</summary>
internal static class CipherLengths
{
    /// <summary>The tag of an AEAD.</summary>
    public const int Tag = 16;

    /// <summary>The nonce of an AEAD.</summary>
    public const int Nonce = 12;

    /// <summary>A block of AES, and an IV of CBC.</summary>
    public const int Block = 16;

    /// <summary>The longest HMAC: SHA-384's.</summary>
    public const int MaxMac = 48;
}
