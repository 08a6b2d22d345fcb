namespace CSsl.Tls.Engines.IpsecMb;

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
