using CSsl.Tls.Sessions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Tls.Sessions;

public sealed class SharedKeyRingTests : IDisposable
{
    private static readonly SealingPurpose Purpose = new("test", 64);

    private readonly string _old = ClusterKeyRing.Generate("old");
    private readonly string _new = ClusterKeyRing.Generate("new");
    private readonly SharedKeyRing _keys;
    private readonly Sealer _sealer;

    public SharedKeyRingTests()
    {
        _keys = new SharedKeyRing(ClusterKeyRing.Parse(_old));
        _sealer = new Sealer(_keys);
    }

    public void Dispose() => _sealer.Dispose();

    [Fact]
    public void Ring_that_was_replaced_is_wiped()
    {
        var first = ClusterKeyRing.Parse(_old);
        using var keys = new SharedKeyRing(first);
        keys.Replace(ClusterKeyRing.Parse(_new));

        Assert.Throws<ObjectDisposedException>(() => first.Newest.Secret.Length);
        Assert.Equal(["new"], keys.KeyIds);
    }

    [Fact]
    public void Key_that_the_cluster_seals_under_stays_until_the_cluster_has_another()
    {
        var told = _keys.KeyNames[0];
        _keys.SealUnder(told);
        var box = _sealer.Seal(Purpose, [1]);

        _keys.Replace(ClusterKeyRing.Parse(_new));
        Assert.Equal((true, "old", "new, old"), (_keys.HasClusterKey, _keys.KeptKeyId, string.Join(", ", _keys.KeyIds)));
        Assert.Equal("old"u8, _sealer.Seal(Purpose, [1]).AsSpan(2, 3));
        _sealer.Open(Purpose, box).Dispose();

        // Also over a second change of the file.
        _keys.Replace(ClusterKeyRing.Parse(ClusterKeyRing.Generate("newer") + _new));
        Assert.Equal("newer, new, old", string.Join(", ", _keys.KeyIds));

        _keys.SealUnder(_keys.KeyNames[1]);
        Assert.Equal((true, null, "newer, new"), (_keys.HasClusterKey, _keys.KeptKeyId, string.Join(", ", _keys.KeyIds)));
        Assert.Throws<SealedSessionException>(() => _sealer.Open(Purpose, box));
    }

    [Fact]
    public void Key_that_the_cluster_sealed_under_opens_for_the_retention_and_is_wiped_after_it()
    {
        var time = new FakeTimeProvider();
        var keys = new SharedKeyRing(ClusterKeyRing.Parse(_old), TimeSpan.FromMinutes(1), time);
        using var sealer = new Sealer(keys);
        keys.SealUnder(keys.KeyNames[0]);
        var box = sealer.Seal(Purpose, [1]);

        // Not while it is the cluster's.
        keys.Replace(ClusterKeyRing.Parse(_new));
        time.Advance(TimeSpan.FromHours(1));
        keys.WipeRetired();
        Assert.Equal(("old", "new, old"), (keys.KeptKeyId, string.Join(", ", keys.KeyIds)));

        keys.SealUnder(keys.KeyNames[0]);
        Assert.Equal((null, "new", "old"), (keys.KeptKeyId, string.Join(", ", keys.KeyIds), string.Join(", ", keys.RetiredKeyIds)));
        Assert.Equal("new"u8, sealer.Seal(Purpose, [1]).AsSpan(2, 3));
        time.Advance(TimeSpan.FromSeconds(59));
        keys.WipeRetired();
        sealer.Open(Purpose, box).Dispose();

        time.Advance(TimeSpan.FromSeconds(1));
        keys.WipeRetired();
        Assert.Empty(keys.RetiredKeyIds);
        Assert.Throws<SealedSessionException>(() => sealer.Open(Purpose, box));
    }

    [Fact]
    public void Key_that_the_cluster_returns_to_seals_again()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(_old), TimeSpan.FromMinutes(1));
        var old = keys.KeyNames[0];
        keys.Replace(ClusterKeyRing.Parse(_new));
        keys.SealUnder(keys.KeyNames[0]);
        Assert.Equal(["old"], keys.RetiredKeyIds);

        keys.SealUnder(old);
        Assert.Equal((true, "old", 0), (keys.HasClusterKey, keys.KeptKeyId, keys.RetiredKeyIds.Count));
    }

    [Fact]
    public void Not_more_keys_are_retained_than_a_ring_may_have()
    {
        using var keys = new SharedKeyRing(ClusterKeyRing.Parse(_old), TimeSpan.FromMinutes(1));
        for (var i = 0; i <= ClusterKeyRing.MaxKeys; i++)
            keys.Replace(ClusterKeyRing.Parse(ClusterKeyRing.Generate($"k{i}")));
        Assert.Equal(Enumerable.Range(0, ClusterKeyRing.MaxKeys).Reverse().Select(static i => $"k{i}"), keys.RetiredKeyIds);
    }

    [Fact]
    public void Key_that_comes_back_into_the_file_is_an_ordinary_one()
    {
        _keys.SealUnder(_keys.KeyNames[0]);
        _keys.Replace(ClusterKeyRing.Parse(_new));
        _keys.Replace(ClusterKeyRing.Parse(_new + _old));
        Assert.Equal((null, "new, old"), (_keys.KeptKeyId, string.Join(", ", _keys.KeyIds)));
    }

    [Fact]
    public void Another_key_of_the_same_id_takes_its_place()
    {
        _keys.SealUnder(_keys.KeyNames[0]);
        _keys.Replace(ClusterKeyRing.Parse(ClusterKeyRing.Generate("old")));
        Assert.Equal((false, null, "old"), (_keys.HasClusterKey, _keys.KeptKeyId, string.Join(", ", _keys.KeyIds)));
        Assert.Empty(_keys.RetiredKeyIds);
        _sealer.Seal(Purpose, [1]);
    }

    [Fact]
    public void Newest_key_seals_while_the_cluster_s_is_not_known_or_not_here()
    {
        Assert.Equal((false, null), (_keys.HasClusterKey, _keys.ClusterKeyName));
        using var elsewhere = ClusterKeyRing.Parse(_new);
        _keys.SealUnder(elsewhere.KeyNames[0]);
        Assert.False(_keys.HasClusterKey);
        Assert.Equal("old"u8, _sealer.Seal(Purpose, [1]).AsSpan(2, 3));
        _keys.Replace(ClusterKeyRing.Parse(_old + _new));
        Assert.True(_keys.HasClusterKey);
        Assert.Equal("new"u8, _sealer.Seal(Purpose, [1]).AsSpan(2, 3));
    }

    [Fact]
    public async Task Ring_is_replaced_while_others_seal_and_open()
    {
        var id = Guid.NewGuid();
        var sealing = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 300; i++)
                _sealer.Open(_sealer.Seal(ExportedSessions.Sample(), id), id).Dispose();
        })));

        var replaced = 0;
        for (; !sealing.IsCompleted || replaced == 0; replaced++)
            _keys.Replace(ClusterKeyRing.Parse(replaced % 2 == 0 ? _new + _old : _old + _new));

        await sealing;
    }
}
