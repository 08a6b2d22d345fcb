using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Engines.IpsecMb;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

/// <summary>The engines that tests try: .NET's, and ipsec-mb with all CBC records in lanes, however few they are, so that no test depends on a measurement.</summary>
internal static class TestEngines
{
    private static readonly Lazy<IpsecMbEngine> Library = new(() =>
    {
        var engine = IpsecMbEngine.Create(new IpsecMbExports());
        engine.Crossover = Crossover.Always;
        return engine;
    });

    public static IRecordEngine IpsecMb => Library.Value;

    public static IRecordEngine Get(EngineChoice choice) => choice == EngineChoice.Managed ? ManagedEngine.Instance : IpsecMb;

    /// <summary>Each engine with every suite; CBC suites in both orders.</summary>
    public static TheoryData<EngineChoice, CipherSuite, bool> All
    {
        get
        {
            var data = new TheoryData<EngineChoice, CipherSuite, bool>();
            foreach (var (suite, encryptThenMac) in TestSessions.Suites)
            {
                data.Add(EngineChoice.Managed, suite, encryptThenMac);
                data.Add(EngineChoice.IpsecMb, suite, encryptThenMac);
            }

            return data;
        }
    }

    public static TheoryData<EngineChoice> Both => [EngineChoice.Managed, EngineChoice.IpsecMb];
}
