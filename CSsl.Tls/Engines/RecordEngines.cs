using CSsl.Tls.Engines.IpsecMb;

namespace CSsl.Tls.Engines;

/// <summary>Makes the record engine of a process.</summary>
public static class RecordEngines
{
    /// <summary>Chooses, loads and tests an engine. Takes some milliseconds; done once, at start.</summary>
    /// <param name="choice">What the configuration asks for.</param>
    /// <param name="reason">One line for the log: which engine it is, and why it is not the fastest, if it isn't.</param>
    /// <exception cref="RecordEngineException"><see cref="EngineChoice.IpsecMb"/> was asked for and can't be had; says why, and what to do.</exception>
    public static IRecordEngine Create(EngineChoice choice, out string reason) => Create(choice, new IpsecMbExports(), out reason);

    internal static IRecordEngine Create(EngineChoice choice, IIpsecMbExports exports, out string reason)
    {
        if (choice == EngineChoice.Managed)
        {
            reason = "managed: as configured";
            return ManagedEngine.Instance;
        }

        try
        {
            var engine = IpsecMbEngine.Create(exports);
            reason = $"{engine.Name}: self-test passed";
            return engine;
        }
        catch (RecordEngineException e) when (choice == EngineChoice.Auto)
        {
            reason = $"managed: {e.Message}";
            return ManagedEngine.Instance;
        }
        catch (RecordEngineException e)
        {
            throw new RecordEngineException($"the engine ipsec-mb can't be used: {e.Message} (install the package libipsec-mb1, or configure Engine: Auto)");
        }
    }
}

/// <summary>Who does the bulk encryption in a silo.</summary>
public enum EngineChoice
{
    /// <summary>The fastest engine that the machine has.</summary>
    Auto = 0,

    /// <summary>.NET's own AES, ChaCha20 and HMAC.</summary>
    Managed = 1,

    /// <summary>libIPSec_MB, and nothing else: a machine without it is an error.</summary>
    IpsecMb = 2,
}
