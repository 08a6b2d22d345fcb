using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CSsl.Tls.Engines.IpsecMb;

namespace CSsl.Tests.Tls.Engines;

/// <summary>libIPSec_MB with something wrong: a version, or a manager whose functions are not what they should be.</summary>
internal sealed unsafe class SabotagedExports : IIpsecMbExports
{
    private static readonly IpsecMbExports Real = new();

    // What native callbacks read; tests of one class run one after the other.
    private static uint s_version;
    private static (int Offset, int From)[] s_swaps = [];
    private static int s_architecture = -1;

    /// <param name="version">What it says it is; 0: the truth.</param>
    /// <param name="swaps">Pointers in the manager that are overwritten with those from elsewhere in it, or with null.</param>
    /// <param name="architecture">What it says it chose; -1: the truth.</param>
    public SabotagedExports(uint version = 0, (int Offset, int From)[]? swaps = null, int architecture = -1)
        => (s_version, s_swaps, s_architecture) = (version, swaps ?? [], architecture);

    public static void Reset() => (s_version, s_swaps, s_architecture) = (0, [], -1);

    public nint Find(string function) => function switch
    {
        "imb_get_version" when s_version != 0 => (nint)(delegate* unmanaged<uint>)&GetVersion,
        "init_mb_mgr_auto" => (nint)(delegate* unmanaged<byte*, int*, void>)&Initialize,
        _ => Real.Find(function),
    };

    [UnmanagedCallersOnly]
    private static uint GetVersion() => s_version;

    [UnmanagedCallersOnly]
    private static void Initialize(byte* manager, int* architecture)
    {
        ((delegate* unmanaged<byte*, int*, void>)Real.Find("init_mb_mgr_auto"))(manager, architecture);
        foreach (var (offset, from) in s_swaps)
            Unsafe.Write(manager + offset, from == 0 ? 0 : Unsafe.Read<nint>(manager + from));
        if (s_architecture >= 0)
            Unsafe.Write(manager + ImbFunctions.ArchitectureOffset, s_architecture);
    }
}
