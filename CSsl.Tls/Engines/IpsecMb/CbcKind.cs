namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>CBC records that share lanes.</summary>
internal enum CbcKind
{
    MacThenEncryptSha256,
    MacThenEncryptSha384,
    EncryptThenMacSha256,
    EncryptThenMacSha384,
}
