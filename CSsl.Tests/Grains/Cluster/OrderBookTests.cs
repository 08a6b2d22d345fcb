using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>What was ordered outlives the grain that ordered it.</summary>
public sealed class OrderBookTests
{
    private readonly FakeTimeProvider _clock = new();

    private static SiloOrder Order(string silo, long version) => new() { Silo = silo, Version = version, Roles = SiloRoles.Data };

    private static RoleDecision Decision(DateTimeOffset at, string silo = "a")
        => new() { At = at, Silo = silo, From = SiloRoles.Data, To = SiloRoles.Handshake, By = OrderedBy.Planner, Reason = "r" };

    [Fact]
    public void Versions_grow_also_when_the_clock_does_not_or_an_order_came_from_a_clock_ahead()
    {
        var book = new OrderBook(_clock);
        var first = book.Give("a", order => order with { Roles = SiloRoles.Data });
        var second = book.Give("a", order => order with { Mode = RoleMode.Auto });
        Assert.True(second.Version > first.Version);
        Assert.Equal((SiloRoles.Data, RoleMode.Auto), (second.Roles, second.Mode));

        book.Recall(Order("b", second.Version + 1_000_000_000));
        Assert.True(book.Give("a", order => order).Version > second.Version + 1_000_000_000);
    }

    [Fact]
    public void Newer_of_two_orders_wins_whatever_the_way_it_came()
    {
        var book = new OrderBook(_clock);
        book.Recall(Order("a", 5));
        book.Recall(Order("a", 3) with { Roles = SiloRoles.Handshake });
        book.Recall(new ClusterMemory { Orders = [Order("a", 4) with { Roles = SiloRoles.None }, Order("b", 1)] });

        Assert.Equal([("a", 5L, SiloRoles.Data), ("b", 1L, SiloRoles.Data)], book.Orders.Select(order => (order.Silo, order.Version, order.Roles!.Value)));
    }

    [Fact]
    public void Drain_ends_with_the_run_that_it_was_for_and_roles_stay_with_the_name()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var book = new OrderBook(_clock);
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
        var book = new OrderBook(_clock);
        book.Give("a", order => order with { Roles = SiloRoles.Handshake });
        _clock.Advance(TimeSpan.FromMinutes(59));
        book.Age([Reports.Silo("a")]);
        _clock.Advance(TimeSpan.FromMinutes(59));
        book.Age([]);
        Assert.Single(book.Orders);

        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(book.Age([]));
        Assert.Empty(book.Orders);
    }

    [Fact]
    public void Last_decisions_are_kept_in_order_and_each_once()
    {
        var book = new OrderBook(_clock);
        var now = _clock.GetUtcNow();
        for (var i = 0; i < OrderBook.MaxDecisions + 3; i++)
            book.Note(Decision(now.AddSeconds(i)));
        book.Recall(new ClusterMemory { Decisions = [Decision(now.AddSeconds(5)), Decision(now.AddSeconds(7.5), "b")] });

        Assert.Equal(OrderBook.MaxDecisions, book.Decisions.Length);
        Assert.Equal(book.Decisions.OrderBy(decision => decision.At), book.Decisions);
        Assert.Single(book.Decisions, decision => decision.Silo == "b");
        Assert.Equal(book.Decisions.Length, book.Decisions.Distinct().Count());
    }

    [Fact]
    public void Order_from_a_clock_that_is_wrong_beyond_reason_is_not_believed()
    {
        var book = new OrderBook(_clock);
        book.Recall(Order("a", long.MaxValue));
        book.Recall(Order("b", _clock.GetUtcNow().AddDays(2).UtcTicks));
        Assert.Empty(book.Orders);
        Assert.True(book.Give("a", order => order).Version > 0);
    }

    [Fact]
    public void Number_of_orders_is_bounded()
    {
        var book = new OrderBook(_clock);
        for (var i = 0; i < ClusterRoster.MaxMembers + 10; i++)
            book.Recall(Order("s" + i, 1));
        Assert.Equal(ClusterRoster.MaxMembers, book.Orders.Length);
    }
}
