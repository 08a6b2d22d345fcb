using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SecretSealerTests
{
    private static readonly byte[] Secret = "the secret"u8.ToArray();

    private readonly string _keyFile = ClusterKeyRing.Generate("test");

    [Fact]
    public void Secret_opens_on_another_silo_of_the_cluster()
    {
        using var here = NewSealer();
        using var there = NewSealer();
        var box = here.Seal("purpose", Secret, "owner"u8);

        using var opened = there.Open("purpose", box, "owner"u8);

        Assert.Equal(Secret, opened.Span);
        Assert.Equal(-1, box.AsSpan().IndexOf(Secret));
    }

    [Fact]
    public void Secret_of_another_purpose_or_owner_does_not_open()
    {
        using var sealer = NewSealer();
        var box = sealer.Seal("purpose", Secret, "owner"u8);

        Assert.Throws<SealedSessionException>(() => sealer.Open("another", box, "owner"u8));
        Assert.Throws<SealedSessionException>(() => sealer.Open("purpose", box, "thief"u8));
        Assert.Throws<SealedSessionException>(() => sealer.Open("purpose", box));
    }

    [Fact]
    public void Lengths_are_bounded()
    {
        using var sealer = NewSealer();
        Assert.Throws<ArgumentOutOfRangeException>(() => sealer.Seal("purpose", new byte[SecretSealer.MaxLength + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => sealer.Seal("purpose", Secret, new byte[65]));
        Assert.Throws<ArgumentOutOfRangeException>(() => sealer.Seal(new string('p', 65), Secret));
        var longest = sealer.Seal("purpose", new byte[SecretSealer.MaxLength]);
        Assert.Throws<SealedSessionException>(() => sealer.Open("purpose", [.. longest, 0]));
    }

    private SecretSealer NewSealer() => new(ClusterKeyRing.Parse(_keyFile));
}
