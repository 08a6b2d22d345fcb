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

/// <summary>A ChaCha20 key, which needs no expansion.</summary>
internal sealed unsafe class ChaChaKey : IpsecMbKey
{
    public ChaChaKey(in RecordKeyMaterial material)
        : base(material.Key.Length)
    {
        material.Key.CopyTo(Memory.Span);
        Direction = material.Direction;
    }

    public RecordDirection Direction { get; }

    public byte* Key => Memory.Pointer;
}
