namespace CSsl.Tls.Engines.IpsecMb;

/// <summary>Where the functions of libIPSec_MB come from: the library, or in tests what stands for a library that is old, broken or not there.</summary>
internal interface IIpsecMbExports
{
    /// <summary>Address of an exported function.</summary>
    /// <exception cref="RecordEngineException">There is no such library or function.</exception>
    nint Find(string function);
}
