using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SessionCapsuleTests
{
    private static readonly byte[] SampleSecret = [0xA5, 0xA5, 0xA5, 0xA5];
    private static readonly Guid Id = new("6c0f1c1e-8f5b-4d0c-9d4e-0123456789ab");

    private static readonly DateTimeOffset Now = new(2026, 11, 30, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Capsule_opens_to_what_was_sealed_and_says_when()
    {
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test"))), new FakeTimeProvider(Now));
        Prop.ForAll(ExportedSessions.Any, session =>
        {
            // Sealing consumes the session, and FsCheck shows it again in its messages: seal a copy.
            using var encoded = ExportedSessionCodec.Encode(session);
            var capsule = sealer.Seal(ExportedSessionCodec.Decode(encoded.Span), Id);
            using var opened = sealer.Open(capsule, Id);
            Assert.Equal(Now, opened.SealedAt);
            opened.SealedAt = session.SealedAt;
            Assert.Equal(ExportedSessions.Content(session), ExportedSessions.Content(opened));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Sealing_consumes_the_session()
    {
        using var sealer = NewSealer();
        var session = ExportedSessions.Sample();
        sealer.Seal(session, Id);
        Assert.Throws<ObjectDisposedException>(() => session.ClientSecret.Length);
    }

    [Fact]
    public void Sealing_that_fails_consumes_the_session_too()
    {
        var sealer = NewSealer();
        sealer.Dispose();
        var session = ExportedSessions.Sample();
        Assert.Throws<ObjectDisposedException>(() => sealer.Seal(session, Id));
        Assert.Throws<ObjectDisposedException>(() => session.ClientSecret.Length);
    }

    [Fact]
    public void Capsule_shows_no_secret_and_never_repeats()
    {
        using var sealer = NewSealer();
        var one = sealer.Seal(ExportedSessions.Sample(), Id);
        var two = sealer.Seal(ExportedSessions.Sample(), Id);
        Assert.Equal(-1, one.AsSpan().IndexOf(SampleSecret));
        Assert.Equal(-1, one.AsSpan().IndexOf("www.example.com"u8));
        Assert.False(one.AsSpan(^64..).SequenceEqual(two.AsSpan(^64..)));
    }

    [Fact]
    public void Capsule_of_another_session_does_not_open()
    {
        using var sealer = NewSealer();
        var capsule = sealer.Seal(ExportedSessions.Sample(), Id);
        AssertRefused(sealer, capsule, "somebody else's", Guid.NewGuid());
    }

    [Fact]
    public void Capsule_with_any_byte_changed_does_not_open()
    {
        using var sealer = NewSealer();
        var capsule = sealer.Seal(ExportedSessions.Sample(), Id);
        for (var i = 0; i < capsule.Length; i++)
        {
            var damaged = (byte[])capsule.Clone();
            damaged[i] ^= 0x80;
            Assert.Throws<SealedSessionException>(() => sealer.Open(damaged, Id));
        }
    }

    [Fact]
    public void Capsule_that_is_cut_or_lengthened_does_not_open()
    {
        using var sealer = NewSealer();
        var capsule = sealer.Seal(ExportedSessions.Sample(), Id);
        for (var length = 0; length < capsule.Length; length++)
            Assert.Throws<SealedSessionException>(() => sealer.Open(capsule.AsSpan(0, length), Id));
        Assert.Throws<SealedSessionException>(() => sealer.Open([.. capsule, 0], Id));
        AssertRefused(sealer, [.. capsule, .. new byte[64 * 1024]], "more than the");
    }

    [Fact]
    public void Noise_does_not_open()
    {
        using var sealer = NewSealer();
        Prop.ForAll<byte[]>(noise => { Assert.Throws<SealedSessionException>(() => sealer.Open(noise, Id)); }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Unknown_format_is_named()
    {
        using var sealer = NewSealer();
        var capsule = sealer.Seal(ExportedSessions.Sample(), Id);
        capsule[0] = 9;
        AssertRefused(sealer, capsule, "Sealed format 9 is unknown here (this build opens 2).");
    }

    [Fact]
    public void Capsule_under_an_older_key_opens_after_rotation()
    {
        var old = ClusterKeyRing.Generate("old");
        using var before = NewSealer(old);
        using var after = NewSealer(ClusterKeyRing.Generate("new") + old);
        using var opened = after.Open(before.Seal(ExportedSessions.Sample(), Id), Id);
        Assert.Equal("www.example.com", opened.ServerName);

        // The newest key seals, so a silo that has not got it yet can't open.
        AssertRefused(before, after.Seal(ExportedSessions.Sample(), Id), "not in this silo's ring");
    }

    [Fact]
    public void Key_id_alone_opens_nothing()
    {
        using var ours = NewSealer();
        using var theirs = NewSealer();
        AssertRefused(ours, theirs.Seal(ExportedSessions.Sample(), Id), "not authentic");
    }

    [Fact]
    public void Sealer_serves_many_threads_at_once()
    {
        using var sealer = NewSealer();
        Parallel.For(0, 200, i =>
        {
            var id = Guid.NewGuid();
            using var opened = sealer.Open(sealer.Seal(ExportedSessions.Sample((byte)i), id), id);
            Assert.Equal((byte)i, opened.ClientSecret.Span[0]);
        });
    }

    [Fact]
    public void Capsule_says_which_key_it_is_sealed_under_and_nothing_else()
    {
        var old = ClusterKeyRing.Generate("old");
        using var before = NewSealer(old);
        var keys = new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("new") + old));
        using var after = new Sealer(keys);
        var (newer, older) = (keys.KeyNames[0], keys.KeyNames[1]);
        var capsule = before.Seal(ExportedSessions.Sample(), Id);
        Assert.Equal((false, true), (SessionCapsule.IsSealedUnder(capsule, newer), SessionCapsule.IsSealedUnder(capsule, older)));

        var renewed = after.Seal(after.Open(capsule, Id), Id);
        Assert.Equal((true, false), (SessionCapsule.IsSealedUnder(renewed, newer), SessionCapsule.IsSealedUnder(renewed, older)));
        Assert.False(SessionCapsule.IsSealedUnder([2, 9, 1], newer));
    }

    private static Sealer NewSealer(string? keyFile = null) => new(new SharedKeyRing(ClusterKeyRing.Parse(keyFile ?? ClusterKeyRing.Generate("test"))));

    private static void AssertRefused(Sealer sealer, byte[] capsule, string problem, Guid? id = null)
    {
        var failure = Assert.Throws<SealedSessionException>(() => sealer.Open(capsule, id ?? Id));
        Assert.Contains(problem, failure.Message, StringComparison.Ordinal);
    }
}
