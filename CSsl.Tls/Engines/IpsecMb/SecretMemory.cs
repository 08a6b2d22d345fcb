using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>Native memory for an expanded key, aligned for SIMD loads; zeroed before it is freed, also when nobody disposes it.</summary>
internal sealed unsafe class SecretMemory : SafeHandle
{
    private const int Alignment = 64;

    private readonly int _length;

    /// <summary>Zeros.</summary>
    public SecretMemory(int length)
        : base(0, ownsHandle: true)
    {
        _length = length;
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)length, Alignment));
        Span.Clear();
    }

    public override bool IsInvalid => handle == 0;

    public byte* Pointer => (byte*)handle;

    public Span<byte> Span => new((void*)handle, _length);

    protected override bool ReleaseHandle()
    {
        CryptographicOperations.ZeroMemory(Span);
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
