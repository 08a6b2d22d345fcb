using System.Security.Cryptography;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Keys;
using Xunit;

namespace CSsl.Tests.Tls.Keys;

/// <summary>Vectors of the TLS working group's list (message 3416).</summary>
public sealed class Tls12PrfTests
{
    [Theory]
    [InlineData("SHA256", "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66")]
    [InlineData("SHA384", "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f")]
    public void Prf_gives_the_known_output(string hash, string secret, string seed, string expected)
    {
        var seedBytes = Convert.FromHexString(seed);
        var output = new byte[expected.Length / 2];

        Tls12Prf.Expand(new HashAlgorithmName(hash), Convert.FromHexString(secret), "test label"u8, seedBytes.AsSpan(0, 5), seedBytes.AsSpan(5, 10), seedBytes.AsSpan(15), output);

        Assert.Equal(expected, Convert.ToHexStringLower(output));
    }

    [Theory]
    [MemberData(nameof(TestSessions.Tls12), MemberType = typeof(TestSessions))]
    public void Key_block_is_cut_in_the_order_of_rfc_5246(CipherSuite suite)
    {
        var info = CipherSuiteInfo.Get(suite);
        using var session = TestSessions.Create(suite);
        var block = new byte[2 * (info.MacLength + info.KeyLength + info.FixedIvLength)];
        Tls12Prf.Expand(info.Hash, session.ClientSecret.Span, "key expansion"u8, session.ServerRandom, session.ClientRandom, [], block);

        var (client, server) = KeyBlock.Derive(info, session.ClientSecret.Span, session.ClientRandom, session.ServerRandom);

        using (client)
        using (server)
        {
            byte[] joined =
            [
                .. client.MacKey.Span, .. server.MacKey.Span,
                .. client.Key.Span, .. server.Key.Span,
                .. client.Iv.Span, .. server.Iv.Span,
            ];
            Assert.Equal(block, joined);
            Assert.Equal(info.MacLength, client.MacKey.Length);
            Assert.Equal(info.KeyLength, server.Key.Length);
            Assert.Equal(info.FixedIvLength, client.Iv.Length);
        }
    }

    [Fact]
    public void Key_block_needs_both_randoms()
    {
        var info = CipherSuiteInfo.Get(CipherSuite.EcdheRsaAes128GcmSha256);
        Assert.Throws<ArgumentException>(() => KeyBlock.Derive(info, new byte[48], new byte[32], []));
    }
}
