using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>The local snapshot of the cluster.</summary>
public sealed class ClusterViewHolderTests
{
    private readonly ClusterViewHolder _holder = new();

    [Fact]
    public void Newer_view_replaces_the_current_and_is_announced()
    {
        ClusterView? announced = null;
        _holder.Changed += view => announced = view;
        var view = Reports.View(1, Reports.Silo("a"));
        _holder.Update(view);

        Assert.Same(view, _holder.Current);
        Assert.Same(view, announced);
    }

    [Fact]
    public void Older_view_that_comes_late_is_dropped()
    {
        var newer = Reports.View(2, Reports.Silo("a"));
        _holder.Update(newer);
        _holder.Changed += _ => Assert.Fail("nothing changed");
        _holder.Update(Reports.View(1));
        _holder.Update(Reports.View(2));

        Assert.Same(newer, _holder.Current);
    }

    [Fact]
    public void Silos_missing_in_a_settling_view_stay_until_it_has_settled()
    {
        _holder.Update(Reports.View(1, Reports.Silo("a"), Reports.Silo("b")));
        _holder.Update(Reports.View(2, Reports.Silo("b", machineCpu: 0.7)) with { Settling = true });
        Assert.Equal([("a", 0.1), ("b", 0.7)], _holder.Current.Silos.Select(silo => (silo.Name, silo.Load.MachineCpu)));

        _holder.Update(Reports.View(3, Reports.Silo("b")));
        Assert.Equal(["b"], _holder.Current.Silos.Select(silo => silo.Name));
    }
}
