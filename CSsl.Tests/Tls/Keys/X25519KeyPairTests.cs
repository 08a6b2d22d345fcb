using CSsl.Tls.Keys;
using Xunit;

namespace CSsl.Tests.Tls.Keys;

public sealed class X25519KeyPairTests
{
    // RFC 7748 section 6.1.
    private const string AlicePrivate = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    private const string AlicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    private const string BobPrivate = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    private const string BobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    private const string Shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

    /// <summary>The points of order 1, 2, 4 and 8 on the curve and its twist, and those that are the same modulo the prime (https://cr.yp.to/ecdh.html#validate).</summary>
    public static TheoryData<string> LowOrderPoints =>
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    [Fact]
    public void Both_sides_agree_on_what_the_RFC_says()
    {
        using var alice = X25519KeyPair.From(Convert.FromHexString(AlicePrivate));
        using var bob = X25519KeyPair.From(Convert.FromHexString(BobPrivate));

        Assert.Equal(AlicePublic, Convert.ToHexStringLower(alice.PublicKey.Span));
        Assert.Equal(BobPublic, Convert.ToHexStringLower(bob.PublicKey.Span));
        Assert.Equal(Shared, Agree(alice, bob.PublicKey.Span));
        Assert.Equal(Shared, Agree(bob, alice.PublicKey.Span));
    }

    [Fact]
    public void New_pairs_agree_and_no_two_are_the_same()
    {
        using var one = X25519KeyPair.Create();
        using var other = X25519KeyPair.Create();

        Assert.Equal(Agree(one, other.PublicKey.Span), Agree(other, one.PublicKey.Span));
        Assert.NotEqual(one.PublicKey.ToArray(), other.PublicKey.ToArray());
    }

    [Theory]
    [MemberData(nameof(LowOrderPoints))]
    public void Points_that_share_zeros_with_everybody_are_refused(string point)
    {
        using var pair = X25519KeyPair.Create();

        Assert.False(pair.TryAgree(Convert.FromHexString(point), out _));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    public void Public_keys_of_another_length_are_refused(int length)
    {
        using var pair = X25519KeyPair.Create();

        Assert.False(pair.TryAgree(new byte[length], out _));
    }

    private static string Agree(X25519KeyPair pair, ReadOnlySpan<byte> publicKey)
    {
        Assert.True(pair.TryAgree(publicKey, out var shared));
        using (shared)
            return Convert.ToHexStringLower(shared.Span);
    }
}
