using System.Collections.Concurrent;
using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SeriesSealerTests : IDisposable
{
    private static readonly byte[] Owner = [1, 2, 3];

    private readonly string _old = ClusterKeyRing.Generate("old");
    private readonly SharedKeyRing _keys;
    private readonly SeriesSealer _sealer;

    public SeriesSealerTests()
    {
        _keys = new SharedKeyRing(ClusterKeyRing.Parse(_old));
        _sealer = new SeriesSealer(_keys, "test 1"u8);
    }

    public void Dispose()
    {
        _sealer.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public void Content_comes_back_as_it_went()
        => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), content => Open(_sealer.Seal(content, Owner)).SequenceEqual(content)).QuickCheckThrowOnFailure();

    [Fact]
    public void No_two_boxes_share_salt_and_number_on_any_threads()
    {
        var seen = new ConcurrentDictionary<string, bool>();
        Parallel.For(0, 2000, _ => Assert.True(seen.TryAdd(Convert.ToHexString(_sealer.Seal([7], Owner).AsSpan(0, 2 + 3 + 32 + 8)), true)));
    }

    [Fact]
    public void Box_opens_for_its_purpose_its_owner_and_undamaged_only()
    {
        var box = _sealer.Seal([1, 2, 3, 4], Owner);
        using var other = new SeriesSealer(_keys, "test 2"u8);
        Assert.Throws<SealedSessionException>(() => other.Open(box, Owner));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(box, [1, 2, 4]));
        for (var at = 0; at < box.Length; at++)
        {
            box[at] ^= 1;
            Assert.Throws<SealedSessionException>(() => _sealer.Open(box, Owner));
            box[at] ^= 1;
            Assert.Throws<SealedSessionException>(() => _sealer.Open(box.AsSpan(0, at), Owner));
        }

        Assert.Equal([1, 2, 3, 4], Open(box));
    }

    [Fact]
    public void New_key_is_used_at_once_and_the_old_one_opens_until_it_is_taken_out()
    {
        var before = _sealer.Seal([5], Owner);
        var added = ClusterKeyRing.Generate("new");
        _keys.Replace(ClusterKeyRing.Parse(added + _old));
        var after = _sealer.Seal([6], Owner);
        Assert.Equal("new"u8, after.AsSpan(2, 3));
        Assert.Equal([5], Open(before));

        _keys.Replace(ClusterKeyRing.Parse(added));
        Assert.Equal([6], Open(after));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(before, Owner));
    }

    private byte[] Open(byte[] box)
    {
        using var opened = _sealer.Open(box, Owner);
        return opened.Span.ToArray();
    }
}
