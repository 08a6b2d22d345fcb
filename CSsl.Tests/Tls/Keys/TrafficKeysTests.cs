using System.Security.Cryptography;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Keys;
using Xunit;

namespace CSsl.Tests.Tls.Keys;

public sealed class TrafficKeysTests
{
    [Theory]
    [InlineData(Rfc8448Tests.ClientSecret, "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9")]
    [InlineData(Rfc8448Tests.ServerSecret, "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984")]
    [InlineData("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21", "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f")]
    [InlineData("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30")]
    public void Traffic_keys_are_those_of_rfc_8448(string secret, string key, string iv)
    {
        using var keys = TrafficKeys.FromSecret(CipherSuiteInfo.Get(CipherSuite.Aes128GcmSha256), Convert.FromHexString(secret));

        Assert.Equal(key, Convert.ToHexStringLower(keys.Key.Span));
        Assert.Equal(iv, Convert.ToHexStringLower(keys.Iv.Span));
        Assert.Equal(0, keys.MacKey.Length);
    }

    /// <summary>Not in RFC 8448; by <c>openssl kdf -kdfopt mode:EXPAND_ONLY -kdfopt digest:SHA256 … HKDF</c> with the info of RFC 8446 section 7.2.</summary>
    [Theory]
    [InlineData(Rfc8448Tests.ClientSecret, "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207")]
    [InlineData(Rfc8448Tests.ServerSecret, "51921b8aa3001976eb401d0a4319a8516416a6c56001a357e5d162031e84f916")]
    public void Next_secret_is_the_one_that_openssl_derives(string secret, string next)
    {
        var bytes = Convert.FromHexString(secret);

        TrafficKeys.MoveToNextSecret(CipherSuiteInfo.Get(CipherSuite.Aes128GcmSha256), bytes);

        Assert.Equal(next, Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Label_expands_with_context_as_in_rfc_8448()
    {
        // "tls13 s ap traffic" from the master secret and the transcript hash of section 3.
        var output = new byte[32];

        HkdfLabel.Expand(
            HashAlgorithmName.SHA256,
            Convert.FromHexString("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"),
            "s ap traffic"u8,
            Convert.FromHexString("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13"),
            output);

        Assert.Equal(Rfc8448Tests.ServerSecret, Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Label_refuses_what_has_no_encoding()
    {
        var secret = new byte[32];
        Assert.Throws<ArgumentException>(() => HkdfLabel.Expand(HashAlgorithmName.SHA256, secret, new byte[250], [], new byte[16]));
        Assert.Throws<ArgumentException>(() => HkdfLabel.Expand(HashAlgorithmName.SHA256, secret, "key"u8, new byte[256], new byte[16]));
    }
}
