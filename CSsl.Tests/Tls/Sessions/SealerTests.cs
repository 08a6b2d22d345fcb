using System.Collections.Concurrent;
using CSsl.Tls.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SealerTests : IDisposable
{
    private static readonly SealingPurpose One = new("test 1", 1024), Two = new("test 2", 1024);
    private static readonly byte[] Owner = [1, 2, 3];

    private readonly string _old = ClusterKeyRing.Generate("old");
    private readonly string _new = ClusterKeyRing.Generate("new");
    private readonly SharedKeyRing _keys;
    private readonly Sealer _sealer;

    public SealerTests()
    {
        _keys = new SharedKeyRing(ClusterKeyRing.Parse(_old));
        _sealer = new Sealer(_keys);
    }

    public void Dispose() => _sealer.Dispose();

    [Fact]
    public void Content_comes_back_as_it_went()
        => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), content => Open(_sealer.Seal(One, content, Owner)).SequenceEqual(content)).QuickCheckThrowOnFailure();

    [Fact]
    public void Content_opens_on_another_silo_and_is_not_seen()
    {
        using var there = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(_old)));
        var box = _sealer.Seal(One, "the secret"u8, Owner);
        using var opened = there.Open(One, box, Owner);
        Assert.Equal("the secret"u8, opened.Span);
        Assert.Equal(-1, box.AsSpan().IndexOf("the secret"u8));
    }

    [Fact]
    public void No_two_boxes_share_salt_and_number_on_any_threads()
    {
        var seen = new ConcurrentDictionary<string, bool>();
        Parallel.For(0, 2000, i =>
        {
            if (i % 100 == 0)
                _keys.Replace(ClusterKeyRing.Parse(i % 200 == 0 ? _new + _old : _old + _new));
            Assert.True(seen.TryAdd(Convert.ToHexString(_sealer.Seal(i % 2 == 0 ? One : Two, [7], Owner).AsSpan(2 + 3, 32 + 8)), true));
        });
    }

    [Fact]
    public void Box_opens_for_its_purpose_its_owner_and_undamaged_only()
    {
        var box = _sealer.Seal(One, [1, 2, 3, 4], Owner);
        Assert.Throws<SealedSessionException>(() => _sealer.Open(Two, box, Owner));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(One, box, [1, 2, 4]));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(One, box));
        for (var at = 0; at < box.Length; at++)
        {
            box[at] ^= 1;
            Assert.Throws<SealedSessionException>(() => _sealer.Open(One, box, Owner));
            box[at] ^= 1;
            Assert.Throws<SealedSessionException>(() => _sealer.Open(One, box.AsSpan(0, at), Owner));
        }

        Assert.Equal([1, 2, 3, 4], Open(box));
    }

    [Fact]
    public void Lengths_are_bounded()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _sealer.Seal(One, new byte[One.MaxLength + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => _sealer.Seal(One, [], new byte[Sealer.MaxBoundLength + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SealingPurpose(new string('p', SealingPurpose.MaxLabelLength + 1), 1));
        var longest = _sealer.Seal(One, new byte[One.MaxLength]);
        Assert.Contains("more than", Assert.Throws<SealedSessionException>(() => _sealer.Open(One, [.. longest, 0])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_key_is_used_at_once_and_the_old_one_opens_until_it_is_taken_out()
    {
        var before = _sealer.Seal(One, [5], Owner);
        Assert.True(_sealer.IsCurrent(before));
        _keys.Replace(ClusterKeyRing.Parse(_new + _old));
        var after = _sealer.Seal(One, [6], Owner);
        Assert.Equal((false, true), (_sealer.IsCurrent(before), _sealer.IsCurrent(after)));
        Assert.Equal([5], Open(before));

        _keys.Replace(ClusterKeyRing.Parse(_new));
        Assert.Equal([6], Open(after));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(One, before, Owner));
    }

    [Fact]
    public void Key_that_the_cluster_chose_seals_wherever_it_is_in_the_ring()
    {
        _keys.Replace(ClusterKeyRing.Parse(_new + _old));
        var (newer, older) = (_keys.KeyNames[0], _keys.KeyNames[1]);
        _keys.SealUnder(older);
        Assert.Equal("old"u8, _sealer.Seal(One, [1]).AsSpan(2, 3));
        _keys.SealUnder(newer);
        Assert.Equal("new"u8, _sealer.Seal(One, [1]).AsSpan(2, 3));
    }

    private byte[] Open(byte[] box)
    {
        using var opened = _sealer.Open(One, box, Owner);
        return opened.Span.ToArray();
    }
}
