using System.Runtime.CompilerServices;

namespace CSsl.Tls.Engines.Managed;

/// <summary>
/// Comparisons whose time and memory accesses do not depend on the operands: the answer is a mask, all ones for true and zero for false.
/// Operands are lengths and bytes, below 2^31.
/// </summary>
internal static class ConstantTime
{
    /// <summary>a &lt; b</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Less(int a, int b) => (uint)((a - b) >> 31);

    /// <summary>a == b</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Equal(int a, int b)
    {
        var difference = a ^ b;
        return (uint)((~difference & (difference - 1)) >> 31);
    }

    /// <summary>Whether two spans of one length hold the same. Not optimized, lest a clever compiler stops at the first difference.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static uint AllEqual(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var difference = 0;
        for (var i = 0; i < a.Length; i++)
            difference |= a[i] ^ b[i];
        return Equal(difference, 0);
    }
}
