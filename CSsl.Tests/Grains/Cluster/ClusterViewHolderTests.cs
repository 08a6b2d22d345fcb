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
        Assert.True(_holder.TryApply(new ClusterViewChange { From = new ViewVersion(1, 1), To = new ViewVersion(1, 2), GoneSilos = ["a"] }));

        Assert.Same(newer, _holder.Current);
    }

    [Fact]
    public void Later_epoch_is_newer_whatever_the_counter()
    {
        _holder.Update(Reports.View(1_000_000, Reports.Silo("a")));
        _holder.Update(Reports.View(0, Reports.Silo("b")) with { Version = new ViewVersion(2, 0) });
        Assert.Equal("b", Assert.Single(_holder.Current.Silos).Name);
    }

    [Fact]
    public void Change_makes_the_next_view_of_the_one_that_it_is_for()
    {
        var order = new SiloOrder { Silo = "c", Version = 1 };
        _holder.Update(Reports.View(1, Reports.Silo("a"), Reports.Silo("b")) with { Orders = [order], Gateways = [Reports.Gateway("g")] });
        var isTaken = _holder.TryApply(new ClusterViewChange
        {
            From = new ViewVersion(1, 1), To = new ViewVersion(1, 2),
            Silos = [Reports.Silo("c"), Reports.Silo("b", machineCpu: 0.9)], GoneSilos = ["a"], GoneGateways = ["g"],
        });

        Assert.True(isTaken);
        Assert.Equal([("b", 0.9), ("c", 0.1)], _holder.Current.Silos.Select(silo => (silo.Name, silo.Load.MachineCpu)));
        Assert.Empty(_holder.Current.Gateways);
        Assert.Equal([order], _holder.Current.Orders);
        Assert.Equal(new ViewVersion(1, 2), _holder.Current.Version);
    }

    [Fact]
    public void Change_of_another_view_is_refused_so_that_the_whole_is_asked_for()
    {
        var view = Reports.View(1, Reports.Silo("a"));
        _holder.Update(view);
        Assert.False(_holder.TryApply(new ClusterViewChange { From = new ViewVersion(1, 2), To = new ViewVersion(1, 3) }));
        Assert.False(_holder.TryApply(new ClusterViewChange { From = new ViewVersion(2, 1), To = new ViewVersion(2, 2) }));
        Assert.Same(view, _holder.Current);
    }

    [Fact]
    public void Push_is_missed_when_it_has_not_come_by_the_next_report_or_the_grain_is_another()
    {
        _holder.Update(Reports.View(1));
        Assert.False(_holder.IsBehind(new ViewVersion(1, 1)));
        Assert.False(_holder.IsBehind(new ViewVersion(1, 2)));
        Assert.True(_holder.IsBehind(new ViewVersion(1, 3)));
        Assert.True(_holder.IsBehind(new ViewVersion(2, 0)));
        _holder.Update(Reports.View(9));
        Assert.False(_holder.IsBehind(new ViewVersion(1, 4)));
    }

    [Fact]
    public void Silos_missing_in_a_settling_view_stay_until_it_has_settled()
    {
        _holder.Update(Reports.View(1, Reports.Silo("a"), Reports.Silo("b")));
        _holder.Update(Reports.View(2, Reports.Silo("b", machineCpu: 0.7)) with { Settling = true });
        Assert.Equal([("a", 0.1), ("b", 0.7)], _holder.Current.Silos.Select(silo => (silo.Name, silo.Load.MachineCpu)));

        // A change does not know of those that stay here: the whole view does.
        Assert.False(_holder.TryApply(new ClusterViewChange { From = new ViewVersion(1, 2), To = new ViewVersion(1, 3) }));
        _holder.Update(Reports.View(3, Reports.Silo("b")));
        Assert.Equal(["b"], _holder.Current.Silos.Select(silo => silo.Name));
    }
}
