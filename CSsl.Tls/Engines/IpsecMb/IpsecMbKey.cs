using System.Security.Cryptography;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>An expanded key in native memory.</summary>
internal abstract class IpsecMbKey(int length) : RecordKey
{
    /// <summary>The key as the library wants it.</summary>
    public SecretMemory Memory { get; } = new(length);

    protected override void Wipe()
    {
        CryptographicOperations.ZeroMemory(Memory.Span);
        Memory.Dispose();
    }
}
