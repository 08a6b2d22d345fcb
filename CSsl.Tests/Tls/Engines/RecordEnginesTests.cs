using CSsl.Tls.Engines;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

public sealed class RecordEnginesTests
{
    [Fact]
    public void Auto_takes_the_library_of_this_machine_after_its_self_test()
    {
        using var engine = RecordEngines.Create(EngineChoice.Auto, out var reason);

        Assert.StartsWith("ipsec-mb 1.", engine.Name, StringComparison.Ordinal);
        Assert.Equal($"{engine.Name}: self-test passed", reason);
    }
}
