using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>An IMB_MGR: the ring of jobs and the lanes in which they wait for company. One thread at a time.</summary>
internal sealed unsafe class ImbManager : SafeHandle
{
    private readonly delegate* unmanaged<void*, void> _free;

    /// <param name="manager">From alloc_mb_mgr.</param>
    /// <param name="free">free_mb_mgr.</param>
    public ImbManager(nint manager, delegate* unmanaged<void*, void> free)
        : base(0, ownsHandle: true)
    {
        _free = free;
        SetHandle(manager);
    }

    public override bool IsInvalid => handle == 0;

    public byte* Pointer => (byte*)handle;

    protected override bool ReleaseHandle()
    {
        _free((void*)handle);
        return true;
    }
}
