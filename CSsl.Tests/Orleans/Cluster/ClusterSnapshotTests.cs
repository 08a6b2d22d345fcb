using System.Net;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Cluster;
using FsCheck;
using FsCheck.Fluent;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class ClusterSnapshotTests
{
    [Fact]
    public void Only_keys_of_the_silo_that_left_change_their_owner()
        => Prop.ForAll<NonEmptyString>(static key =>
        {
            var five = View(5);
            var owner = five.OwnerOf(new GrainKey(key.Get))!;
            var four = new ClusterSnapshot(2, [.. five.Active.RemoveAt(4)]);
            return owner.Equals(five.Active[4].Address) || owner.Equals(four.OwnerOf(new GrainKey(key.Get)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Keys_are_spread_evenly()
    {
        var view = View(5);

        var counts = Enumerable.Range(0, 5000).GroupBy(i => view.OwnerOf(GrainKey.From(i))).Select(static g => g.Count()).ToArray();

        Assert.Equal(5, counts.Length);
        Assert.All(counts, static c => Assert.InRange(c, 850, 1150));
    }

    [Fact]
    public void Preference_begins_with_the_owner_and_goes_on_with_who_would_follow_it()
    {
        var view = View(4);
        var key = new GrainKey("some key");

        var preferred = view.ByPreference(key).ToArray();

        Assert.Equal(view.OwnerOf(key), preferred[0]);
        Assert.Equal(new ClusterSnapshot(2, [.. view.Active.Where(m => !m.Address.Equals(preferred[0]))]).OwnerOf(key), preferred[1]);
        Assert.Equal(4, preferred.Distinct().Count());
    }

    [Fact]
    public void Silo_that_is_shutting_down_owns_nothing_but_is_alive()
    {
        var leaving = new Member(Address(1), "a", SiloStatus.ShuttingDown);
        var view = new ClusterSnapshot(1, [leaving, new Member(Address(2), "b", SiloStatus.Dead)]);

        Assert.Null(view.OwnerOf(new GrainKey("k")));
        Assert.True(view.IsAlive(Address(1)));
        Assert.False(view.IsAlive(Address(2)));
        Assert.False(view.IsAlive(Address(3)));
    }

    private static ClusterSnapshot View(int silos) => new(1, [.. Enumerable.Range(1, silos).Select(static i => new Member(Address(i), $"s{i}", SiloStatus.Active))]);

    private static SiloAddress Address(int i) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 40_000 + i), 7);
}
