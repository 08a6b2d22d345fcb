using System.Security.Cryptography;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class ClusterKeyRingTests
{
    private const string Zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string One = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";

    [Fact]
    public void Ring_has_the_keys_of_its_file_newest_first()
    {
        using var ring = ClusterKeyRing.Parse(
            $"# keys of the cluster\r\n\n  {ClusterKeyRing.Generate("2026-11").TrimEnd()}  # since Monday\n{ClusterKeyRing.Generate("2026-10")}");
        Assert.Equal(["2026-11", "2026-10"], ring.KeyIds);
        Assert.Equal("2026-11", ring.Newest.Id);
    }

    [Fact]
    public void Key_is_the_base64_of_its_line()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        using var ring = ClusterKeyRing.Parse($"k:{Convert.ToBase64String(key)}");
        Assert.Equal(key, ring.Newest.Secret.Span);
    }

    [Theory]
    [InlineData("", "no key")]
    [InlineData("# only a comment", "no key")]
    [InlineData("\nsecret", "line 2: not of the form")]
    [InlineData(":" + Zeros, "line 1: an id is")]
    [InlineData("a b:" + Zeros, "line 1: an id is")]
    [InlineData("an-id-that-is-longer-than-thirty-two:" + Zeros, "line 1: an id is")]
    [InlineData("k:AAAA", "line 1: the key of 'k' is not the base64 of 32 bytes")]
    [InlineData("k:AAAA" + Zeros, "line 1: the key of 'k' is not the base64 of 32 bytes")]
    [InlineData("k:" + Zeros + "AAAA", "line 1: the key of 'k' is not the base64 of 32 bytes")]
    [InlineData("k:!!!!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "line 1: the key of 'k' is not the base64 of 32 bytes")]
    [InlineData("k:" + Zeros + "\nk:" + One, "line 2: a second key with the id 'k'")]
    [InlineData("k:" + Zeros + "\nl:" + Zeros, "line 2: 'l' is the same key as 'k'")]
    public void Text_that_is_no_ring_is_refused_with_its_line(string text, string problem)
    {
        var failure = Assert.Throws<FormatException>(() => ClusterKeyRing.Parse(text));
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ring_holds_sixteen_keys_and_no_more()
    {
        var text = string.Concat(Enumerable.Range(0, 16).Select(static i => ClusterKeyRing.Generate($"k{i}")));
        ClusterKeyRing.Parse(text).Dispose();
        Assert.Contains(
            "line 17: more than 16 keys",
            Assert.Throws<FormatException>(() => ClusterKeyRing.Parse(text + ClusterKeyRing.Generate("k16"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Generated_keys_differ()
        => Assert.NotEqual(ClusterKeyRing.Generate("k"), ClusterKeyRing.Generate("k"));

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a#b")]
    public void Generating_refuses_an_id_that_parsing_would(string id)
        => Assert.Throws<ArgumentException>(() => ClusterKeyRing.Generate(id));

    [Fact]
    public void Name_of_a_key_tells_two_of_one_id_apart_and_shows_nothing_of_them()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        using var ring = ClusterKeyRing.Parse($"k:{Convert.ToBase64String(key)}");
        using var other = ClusterKeyRing.Parse(ClusterKeyRing.Generate("k"));
        Assert.Equal($"k#{Convert.ToHexStringLower(HKDF.Expand(HashAlgorithmName.SHA256, key, 8, "c-ssl sealing key fingerprint 1"u8.ToArray()))}", Assert.Single(ring.KeyNames));
        Assert.NotEqual(ring.KeyNames, other.KeyNames);
    }

    [Fact]
    public void Disposed_ring_has_no_keys()
    {
        var ring = ClusterKeyRing.Parse(ClusterKeyRing.Generate("k"));
        ring.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ring.Newest.Secret.Length);
    }
}
