using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>What was ordered, and what of it is kept.</summary>
public sealed class OrderBookTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Versions_grow_over_all_silos_and_from_what_was_stored()
    {
        var book = new OrderBook(new ClusterState { LastOrder = 41 }, _clock);
        var first = book.Give("a", order => order with { Roles = SiloRoles.Data });
        book.Give("b", order => order);
        var second = book.Give("a", order => order with { Mode = RoleMode.Auto });
        Assert.Equal((42L, 44L, 44L), (first.Version, second.Version, book.State.LastOrder));
        Assert.Equal((SiloRoles.Data, RoleMode.Auto), (second.Roles, second.Mode));
        Assert.Equal(["a", "b"], book.Orders.Select(order => order.Silo));
    }

    [Fact]
    public void Drain_ends_with_the_run_that_it_was_for_and_roles_stay_with_the_name()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var book = new OrderBook(new ClusterState(), _clock);
        book.Give("a", order => order with { Roles = SiloRoles.Handshake, Drain = first });

        book.Age([Reports.Silo("a", incarnation: first)]);
        Assert.True(Assert.Single(book.Orders).Drains(first));

        book.Age([Reports.Silo("a", incarnation: second)]);
        var order = Assert.Single(book.Orders);
        Assert.Equal((SiloRoles.Handshake, (Guid?)null), (order.Roles!.Value, order.Drain));
    }

    [Fact]
    public void Order_of_a_silo_that_was_away_for_an_hour_is_forgotten()
    {
        var book = new OrderBook(new ClusterState(), _clock);
        book.Give("a", order => order with { Roles = SiloRoles.Handshake });
        book.Age([Reports.Silo("a")]);
        _clock.Advance(TimeSpan.FromMinutes(59));
        book.Age([]);
        Assert.Single(book.Orders);

        var before = book.State;
        _clock.Advance(TimeSpan.FromMinutes(1));
        book.Age([]);
        Assert.Empty(book.Orders);
        Assert.NotSame(before, book.State);
    }

    [Fact]
    public void Stored_order_of_a_silo_that_is_away_is_kept_for_an_hour_from_the_start()
    {
        var book = new OrderBook(new ClusterState { Orders = [new SiloOrder { Silo = "a", Version = 1 }] }, _clock);
        book.Age([]);
        _clock.Advance(TimeSpan.FromMinutes(59));
        book.Age([]);
        Assert.Single(book.Orders);
        _clock.Advance(TimeSpan.FromMinutes(1));
        book.Age([]);
        Assert.Empty(book.Orders);
    }

    [Fact]
    public void State_is_another_instance_only_after_a_change()
    {
        var book = new OrderBook(new ClusterState { Orders = [new SiloOrder { Silo = "a", Version = 1 }] }, _clock);
        var before = book.State;
        book.Age([Reports.Silo("a")]);
        Assert.Same(before, book.State);
    }

    [Fact]
    public void Last_decisions_are_kept()
    {
        var book = new OrderBook(new ClusterState(), _clock);
        for (var i = 0; i < OrderBook.MaxDecisions + 3; i++)
            book.Note(new RoleDecision { At = _clock.GetUtcNow().AddSeconds(i), Silo = $"s{i}", From = SiloRoles.Data, To = SiloRoles.Handshake, By = OrderedBy.Planner, Reason = "r" });
        Assert.Equal(Enumerable.Range(3, OrderBook.MaxDecisions).Select(i => $"s{i}"), book.Decisions.Select(decision => decision.Silo));
    }
}
