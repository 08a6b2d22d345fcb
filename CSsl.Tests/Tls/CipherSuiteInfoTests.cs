using CSsl.Tls;
using Xunit;

namespace CSsl.Tests.Tls;

public sealed class CipherSuiteInfoTests
{
    [Fact]
    public void Every_suite_is_in_the_table_once()
    {
        Assert.Equal(Enum.GetValues<CipherSuite>().Order(), CipherSuiteInfo.All.Select(suite => suite.Suite).Order());
        Assert.False(CipherSuiteInfo.TryGet((CipherSuite)0x000A, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => CipherSuiteInfo.Get((CipherSuite)0x000A));
    }

    [Theory]
    [InlineData(CipherSuite.Aes256GcmSha384, 48, 32, 12, 0, 0)]
    [InlineData(CipherSuite.ChaCha20Poly1305Sha256, 32, 32, 12, 0, 0)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256, 32, 16, 4, 8, 0)]
    [InlineData(CipherSuite.EcdheEcdsaChaCha20Poly1305, 32, 32, 12, 0, 0)]
    [InlineData(CipherSuite.EcdheRsaAes256CbcSha384, 48, 32, 0, 16, 48)]
    [InlineData(CipherSuite.EcdheEcdsaAes128CbcSha256, 32, 16, 0, 16, 32)]
    public void Lengths_are_those_of_the_rfcs(CipherSuite suite, int hash, int key, int fixedIv, int explicitIv, int mac)
    {
        var info = CipherSuiteInfo.Get(suite);
        Assert.Equal((hash, key, fixedIv, explicitIv, mac), (info.HashLength, info.KeyLength, info.FixedIvLength, info.ExplicitIvLength, info.MacLength));
    }
}
