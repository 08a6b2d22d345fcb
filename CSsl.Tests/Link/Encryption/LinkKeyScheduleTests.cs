using CSsl.Link;
using CSsl.Tls.Engines;
using CSsl.Tls.Keys;
using Xunit;

namespace CSsl.Tests.Link.Encryption;

/// <summary>Known answers, put together from Python's hmac, hashlib and cryptography; the shared secret is that of RFC 7748 section 6.1.</summary>
public sealed class LinkKeyScheduleTests
{
    private static readonly byte[] ClusterKey = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
    private static readonly byte[] Shared = Convert.FromHexString("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

    private static readonly byte[] GatewayHello = new Hello(
        LinkEnd.Gateway, 262144, Convert.FromHexString("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"), new LinkIdentity("gateway-1", "test")).Encode();

    private static readonly byte[] SiloHello = new Hello(
        LinkEnd.Silo, 262144, Convert.FromHexString("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), new LinkIdentity("silo-1", "test")).Encode();

    [Fact]
    public void Proofs_and_traffic_secrets_are_the_known_ones()
    {
        using var keys = new LinkKeySchedule(ClusterKey, Shared, GatewayHello, SiloHello);

        Assert.Equal("cce3cceb11036cf06a810a98b3c1436e09a92c3ed113df66f2e6f58f75ac8356", Convert.ToHexStringLower(keys.ProofOf(LinkEnd.Gateway)));
        Assert.Equal("8d73447e1839ce9596aebec1d2a0048c2d98cf6c546ec459c42a12001f724af2", Convert.ToHexStringLower(keys.ProofOf(LinkEnd.Silo)));
        Assert.Equal("a1862910a976d81d13caa6373649286baf196b5587bc8d1f53f6c5ed11c8acec", TrafficOf(keys, LinkEnd.Gateway));
        Assert.Equal("ed4e1d15276641a23ef30c6120772b932dfebf878ed125d83129e1280978a6f6", TrafficOf(keys, LinkEnd.Silo));
    }

    [Theory]
    [InlineData(EngineChoice.Managed)]
    [InlineData(EngineChoice.IpsecMb)]
    public void Batches_are_the_known_ones_under_the_first_key_and_those_after_it(EngineChoice engine)
    {
        using var keys = new LinkKeySchedule(ClusterKey, Shared, GatewayHello, SiloHello);
        using var silo = new LinkCipher(Tls.Engines.TestEngines.Get(engine), RecordDirection.Seal, keys.TrafficSecretOf(LinkEnd.Silo), batchesPerKey: 2);
        var frames = ClusterKey.AsSpan(0, 20);

        foreach (var batch in (string[])
        [
            "14000000922e223c283427dd2bc467a973dee20efc7b9251ceef44352f29486f1d83304a3986a25c",
            "14000000e0f72df5efabd71838c8312c6f519d6e2391224c4f22c9d585b1cb40bc232723026e7adb",
            "14000000b02458a43c9d68a9b81ef7db765a8a22ae3215588f3a720dc2d4dcb9ff5be1f44a181275",
            "140000009289c7bdb75c5f877682679c4712a985d8d7c3bf48bc64b0b7d86dbe533838ab70d28f91",
            "14000000a30dd9ed01c48e23c27b93190c730b68a97001c8239c776b9b2ed5788c69ffafa03ddde7",
        ])
            Assert.Equal(batch, Convert.ToHexStringLower(Batches.Seal(silo, frames)));
    }

    /// <summary>Forward secrecy: the cluster key and all that was said give nothing without a private key that nobody has any more.</summary>
    [Fact]
    public void What_the_ephemeral_keys_share_decides_every_secret_though_all_that_can_be_recorded_or_stolen_is_the_same()
    {
        using var keys = new LinkKeySchedule(ClusterKey, Shared, GatewayHello, SiloHello);
        byte[] guess = [.. Shared[..^1], (byte)(Shared[^1] ^ 1)];
        using var guessed = new LinkKeySchedule(ClusterKey, guess, GatewayHello, SiloHello);

        AssertNothingInCommon(keys, guessed);
    }

    [Fact]
    public void Cluster_key_decides_every_secret()
    {
        using var keys = new LinkKeySchedule(ClusterKey, Shared, GatewayHello, SiloHello);
        using var others = new LinkKeySchedule(new byte[32], Shared, GatewayHello, SiloHello);

        AssertNothingInCommon(keys, others);
    }

    [Fact]
    public void Every_byte_that_was_said_decides_every_secret()
    {
        using var keys = new LinkKeySchedule(ClusterKey, Shared, GatewayHello, SiloHello);
        for (var i = 0; i < GatewayHello.Length + SiloHello.Length; i++)
        {
            byte[] gateway = [.. GatewayHello], silo = [.. SiloHello];
            (i < gateway.Length ? ref gateway[i] : ref silo[i - gateway.Length]) ^= 1;
            using var others = new LinkKeySchedule(ClusterKey, Shared, gateway, silo);
            AssertNothingInCommon(keys, others);
        }
    }

    [Fact]
    public void Two_links_of_the_same_ends_have_no_secret_in_common()
    {
        Assert.Empty(SecretsOfNewLink().Intersect(SecretsOfNewLink()));
    }

    private static List<string> SecretsOfNewLink()
    {
        using var gateway = X25519KeyPair.Create();
        using var silo = X25519KeyPair.Create();
        Assert.True(gateway.TryAgree(silo.PublicKey.Span, out var shared));
        using (shared)
        using (var keys = new LinkKeySchedule(ClusterKey, shared.Span, GatewayHello, SiloHello))
            return SecretsOf(keys);
    }

    private static void AssertNothingInCommon(LinkKeySchedule one, LinkKeySchedule other)
    {
        var secrets = SecretsOf(one);
        Assert.Equal(4, secrets.Distinct().Count());
        Assert.Empty(secrets.Intersect(SecretsOf(other)));
    }

    private static List<string> SecretsOf(LinkKeySchedule keys) =>
    [
        Convert.ToHexStringLower(keys.ProofOf(LinkEnd.Gateway)), Convert.ToHexStringLower(keys.ProofOf(LinkEnd.Silo)), TrafficOf(keys, LinkEnd.Gateway), TrafficOf(keys, LinkEnd.Silo),
    ];

    private static string TrafficOf(LinkKeySchedule keys, LinkEnd end)
    {
        using var secret = keys.TrafficSecretOf(end);
        return Convert.ToHexStringLower(secret.Span);
    }
}
