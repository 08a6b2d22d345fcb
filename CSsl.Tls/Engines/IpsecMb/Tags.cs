using System.Runtime.Intrinsics;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>Comparison of tags, in a time that depends on nothing.</summary>
internal static unsafe class Tags
{
    /// <summary>Compares 16 bytes at once.</summary>
    public static bool AreEqual(byte* expected, byte* received) => Vector128.Load(expected) == Vector128.Load(received);
}
