namespace CSsl.Tls.Engines;

/// <summary>What an engine makes a <see cref="RecordKey"/> from.</summary>
/// <param name="suite">The suite.</param>
/// <param name="direction">What the key is for.</param>
/// <param name="encryptThenMac">CBC: RFC 7366 was negotiated.</param>
/// <param name="key">The encryption key, of the suite's length. Copied or expanded; stays the caller's to wipe.</param>
/// <param name="macKey">The HMAC key of a CBC suite, else empty. Likewise.</param>
public readonly ref struct RecordKeyMaterial(CipherSuiteInfo suite, RecordDirection direction, bool encryptThenMac, ReadOnlySpan<byte> key, ReadOnlySpan<byte> macKey)
{
    public CipherSuiteInfo Suite { get; } = suite;
    public RecordDirection Direction { get; } = direction;
    public bool EncryptThenMac { get; } = encryptThenMac;
    public ReadOnlySpan<byte> Key { get; } = key;
    public ReadOnlySpan<byte> MacKey { get; } = macKey;
}
