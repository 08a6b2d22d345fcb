using CSsl.Tls.Engines;
using CSsl.Tls.Engines.IpsecMb;
using Xunit;

namespace CSsl.Tests.Tls.Engines;

public sealed class RecordEnginesTests : IDisposable
{
    public void Dispose() => SabotagedExports.Reset();

    [Fact]
    public void Auto_takes_the_library_of_this_machine_after_its_self_test()
    {
        using var engine = RecordEngines.Create(EngineChoice.Auto, out var reason);

        Assert.Matches(@"^ipsec-mb 1\.\d+\.\d+ \((SSE|AVX|AVX2|AVX512)\)$", engine.Name);
        Assert.Equal($"{engine.Name}: self-test passed", reason);
        Assert.InRange(engine.Lanes, 4, 16);
    }

    [Fact]
    public void Managed_asks_for_no_library()
    {
        using var engine = RecordEngines.Create(EngineChoice.Managed, new IpsecMbExports("libNowhere.so.1"), out var reason);

        Assert.Same(ManagedEngine.Instance, engine);
        Assert.Equal("managed: as configured", reason);
        Assert.Equal(1, engine.Lanes);
    }

    [Fact]
    public void Absent_library_means_the_managed_engine()
        => AssertFallsBack(new IpsecMbExports("libNowhere.so.1"), "^managed: libNowhere.so.1 is not installed$");

    [Fact]
    public void Library_without_the_functions_means_the_managed_engine()
        => AssertFallsBack(new IpsecMbExports("libc.so.6"), "^managed: libc.so.6 has no function imb_get_version$");

    [Theory]
    [InlineData(0x10200, "1.2.0")]
    [InlineData(0x10600, "1.6.0")]
    [InlineData(0x20000, "2.0.0")]
    public void Library_that_is_too_old_or_too_new_means_the_managed_engine(int version, string shown)
        => AssertFallsBack(new SabotagedExports(version: (uint)version), $"^managed: libIPSec_MB.so.1 is version {shown}, and 1.3 to 1.5 are needed$");

    [Fact]
    public void Architecture_that_nobody_knows_means_the_managed_engine()
        => AssertFallsBack(new SabotagedExports(architecture: 99), @"^managed: libIPSec_MB.so.1 1\.\d+\.\d+ chose an unknown architecture, 99$");

    [Fact]
    public void Manager_with_a_hole_means_the_managed_engine()
        => AssertFallsBack(new SabotagedExports(swaps: [(448, 0)]), @"^managed: libIPSec_MB.so.1 1\.\d+\.\d+ is not laid out as its version is$");

    // Offsets of IMB_MGR; each function is replaced by one of the same signature that does something else.
    [Theory]
    [InlineData(256, 272, "TLS_AES_128_GCM_SHA256", "GCM-128 encryption by that of GCM-256")]
    [InlineData(272, 256, "TLS_AES_256_GCM_SHA384", "GCM-256 encryption by that of GCM-128")]
    [InlineData(280, 256, "TLS_AES_128_GCM_SHA256", "GCM-128 decryption by encryption")]
    [InlineData(296, 288, "TLS_AES_256_GCM_SHA384", "GCM-256 decryption by that of GCM-192")]
    [InlineData(112, 128, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "AES-128 keys by AES-256 keys")]
    [InlineData(176, 168, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "SHA-256 by SHA-224")]
    [InlineData(184, 192, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "SHA-384 by SHA-512")]
    public void Library_that_fails_its_self_test_means_the_managed_engine(int offset, int from, string suite, string what)
    {
        using var engine = RecordEngines.Create(EngineChoice.Auto, new SabotagedExports(swaps: [(offset, from)]), out var reason);

        Assert.True(engine is ManagedEngine, what);
        Assert.Matches($@"^managed: ipsec-mb 1\.\d+\.\d+ \(\w+\) fails its self-test: {suite}\b", reason);
    }

    [Fact]
    public void Library_that_was_asked_for_by_name_must_be_there()
    {
        var error = Assert.Throws<RecordEngineException>(() => RecordEngines.Create(EngineChoice.IpsecMb, new IpsecMbExports("libNowhere.so.1"), out _));

        Assert.Equal("the engine ipsec-mb can't be used: libNowhere.so.1 is not installed (install the package libipsec-mb1, or configure Engine: Auto)", error.Message);
    }

    private static void AssertFallsBack(IIpsecMbExports exports, string expected)
    {
        using var engine = RecordEngines.Create(EngineChoice.Auto, exports, out var reason);

        Assert.Same(ManagedEngine.Instance, engine);
        Assert.Matches(expected, reason);
    }
}
