using System.Runtime.InteropServices;

namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>The shared library, found as the system finds libraries. Loaded once and kept: keys and managers hold addresses in it.</summary>
internal sealed class IpsecMbExports(string library = IpsecMbExports.Library) : IIpsecMbExports
{
    /// <summary>The name of every 1.x (Debian and Ubuntu: package libipsec-mb1).</summary>
    public const string Library = "libIPSec_MB.so.1";

    private readonly Lazy<nint> _handle = new(() => NativeLibrary.TryLoad(library, out var handle)
        ? handle
        : throw new RecordEngineException($"{library} is not installed"));

    public nint Find(string function) => NativeLibrary.TryGetExport(_handle.Value, function, out var address)
        ? address
        : throw new RecordEngineException($"{library} has no function {function}");
}
