namespace CSsl.Tls.Engines;

/// <summary>Who does the bulk encryption in a silo.</summary>
public enum EngineChoice
{
    /// <summary>The fastest engine that the machine has.</summary>
    Auto = 0,

    /// <summary>.NET's own AES, ChaCha20 and HMAC.</summary>
    Managed = 1,

    /// <summary>libIPSec_MB, and nothing else: a machine without it is an error.</summary>
    IpsecMb = 2,
}
