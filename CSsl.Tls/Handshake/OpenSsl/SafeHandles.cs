using System.Runtime.InteropServices;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>An SSL_CTX, and the ALPN list that its callback reads.</summary>
internal sealed unsafe class SafeSslContextHandle() : SafeHandle(0, ownsHandle: true)
{
    private void* _alpn;

    public override bool IsInvalid => handle == 0;

    /// <summary>Copies an ALPN list for the callback: four bytes of length, then the list as on the wire. Lives as long as the context.</summary>
    public void* StoreAlpn(ReadOnlySpan<byte> list)
    {
        _alpn = NativeMemory.Realloc(_alpn, (nuint)(sizeof(int) + list.Length));
        *(int*)_alpn = list.Length;
        list.CopyTo(new Span<byte>((byte*)_alpn + sizeof(int), list.Length));
        return _alpn;
    }

    protected override bool ReleaseHandle()
    {
        LibSsl.SSL_CTX_free(handle);
        NativeMemory.Free(_alpn);
        return true;
    }
}

/// <summary>An X509.</summary>
internal sealed class SafeX509Handle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibCrypto.X509_free(handle);
        return true;
    }
}

/// <summary>An EVP_PKEY.</summary>
internal sealed class SafeKeyHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_free(handle);
        return true;
    }
}
