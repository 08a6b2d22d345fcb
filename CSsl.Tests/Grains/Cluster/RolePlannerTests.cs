using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>When silos change roles, and when they must not.</summary>
public sealed class RolePlannerTests
{
    private const SiloRoles Both = SiloRoles.Handshake | SiloRoles.Data;

    private static readonly RolePlannerOptions Standard = new();

    /// <param name="name">Its name.</param>
    /// <param name="handshakes">CPU that it uses if it has the handshake role.</param>
    /// <param name="data">CPU that it uses if it has the data role.</param>
    private static Gen<SiloReport> SiloNamed(string name, int handshakes, int data)
        => from roles in Gen.Elements(SiloRoles.None, SiloRoles.Handshake, SiloRoles.Data, SiloRoles.Data, Both)
           from start in Gen.Elements(SiloRoles.Handshake, SiloRoles.Data, Both)
           from capable in Gen.Elements(Both, Both, Both, SiloRoles.None)
           from state in Gen.Elements(SiloState.Active, SiloState.Active, SiloState.Active, SiloState.Active, SiloState.Draining, SiloState.Silent, SiloState.Joining)
           from mode in Gen.Elements(RoleMode.Auto, RoleMode.Auto, RoleMode.Fixed)
           from noise in Gen.Choose(0, 10)
           let cpu = noise + (roles.HasFlag(SiloRoles.Handshake) ? handshakes : 0) + (roles.HasFlag(SiloRoles.Data) ? data : 0)
           select Reports.Silo(name, roles, state, incarnation: Guid.NewGuid()) with
           {
               StartRoles = start,
               CapableRoles = capable | roles | start,
               Mode = mode,
               Load = new SiloLoad { ProcessCpu = cpu / 100.0, CpuAllowance = 1, HandshakeQueue = cpu > 90 ? 100 : 0, HandshakeTime = cpu > 90 ? 0.1 : 0.001 },
           };

    private static Gen<SiloOrder> OrderOf(SiloReport silo)
        => from roles in Gen.Elements<SiloRoles?>(null, SiloRoles.None, SiloRoles.Handshake, SiloRoles.Data, Both)
           from drain in Gen.Elements(false, false, true)
           from giver in Gen.Elements(OrderedBy.Planner, OrderedBy.Operator)
           select new SiloOrder { Silo = silo.Name, Version = 1, Roles = roles, Drain = drain ? silo.Incarnation : null, By = giver };

    /// <summary>Any cluster in any state, a third of its silos with orders that they may not have carried out.</summary>
    private static Gen<ClusterView> Views
        => from size in Gen.Choose(0, 12)
           from handshakes in Gen.Elements(0, 40, 100)
           from data in Gen.Elements(0, 40, 100)
           from silos in Gen.CollectToArray(Enumerable.Range(0, size).Select(i => SiloNamed("silo-" + i, handshakes, data)))
           from orders in Gen.CollectToArray(silos.Take(size / 3).Select(OrderOf))
           select new ClusterView { Version = new ViewVersion(1, 1), Silos = silos, Orders = orders };

    private static Gen<RolePlannerOptions> Options
        => from handshake in Gen.Choose(0, 3)
           from data in Gen.Choose(0, 3)
           select Standard with { MinimumHandshake = handshake, MinimumData = data };

    [Fact]
    public void No_role_falls_below_its_minimum_by_a_plan_and_no_fixed_or_incapable_silo_is_touched()
        => Prop.ForAll(Arb.From(Views), Arb.From(Options), (view, options) =>
        {
            var (history, now) = (PlannerHistory.Empty, DateTimeOffset.UnixEpoch);
            for (var i = 0; i < 60; i++, now += TimeSpan.FromSeconds(0.5))
            {
                var plan = RolePlanner.Plan(view, history, options, now);
                history = plan.History;
                var desired = new DesiredState(view);
                var next = Ordered(view, plan);
                foreach (var role in (SiloRoles[])[SiloRoles.Handshake, SiloRoles.Data])
                {
                    var before = Serving(view, role);
                    Assert.True(Serving(next, role) >= Math.Min(before, options.Minimum(role)), $"{role}: {before} -> {Serving(next, role)}");
                }

                Assert.All(plan.Changes, change =>
                {
                    var silo = view.Silos.Single(silo => silo.Name == change.Silo);
                    Assert.Equal(RoleMode.Auto, desired.ModeOf(silo));
                    Assert.Equal(SiloState.Active, silo.State);
                    Assert.Equal(SiloRoles.None, change.To & ~silo.CapableRoles);
                    Assert.NotEqual(change.From, change.To);
                    Assert.NotEmpty(change.Reason);
                });
                Assert.Equal(plan.Changes.Count, plan.Changes.DistinctBy(change => change.Silo).Count());
                view = Carried(next);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Constant_load_ends_in_rest()
        => Prop.ForAll(Arb.From(Gen.Choose(2, 40)), Arb.From(Gen.Choose(0, 100)), Arb.From(Gen.Choose(0, 100)), (size, handshake, data) =>
        {
            var cluster = new LoadedCluster(size) { HandshakeCores = size * handshake / 100.0, DataCores = size * data / 100.0 };
            cluster.Run(TimeSpan.FromSeconds(90));
            var changes = cluster.Changes.Count;
            cluster.Run(TimeSpan.FromMinutes(10));
            Assert.Equal(changes, cluster.Changes.Count);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void What_the_cluster_could_carry_it_carries_in_the_end()
        => Prop.ForAll(Arb.From(Gen.Choose(4, 40)), Arb.From(Gen.Choose(5, 50)), Arb.From(Gen.Choose(5, 50)), (size, handshake, data) =>
        {
            // At most 100 % in all, in shares that fit on whole silos at the planner's target.
            var (h, d) = (size * handshake / 100.0 * 0.6, size * data / 100.0 * 0.6);
            if (Math.Ceiling(h / 0.6) + Math.Ceiling(d / 0.6) > size)
                return;
            var cluster = new LoadedCluster(size) { HandshakeCores = h, DataCores = d };
            cluster.Run(TimeSpan.FromSeconds(60));
            Assert.True(cluster.PressureOf(SiloRoles.Handshake) < Standard.Hot, $"handshake at {cluster.PressureOf(SiloRoles.Handshake)}");
            Assert.True(cluster.PressureOf(SiloRoles.Data) < Standard.Hot, $"data at {cluster.PressureOf(SiloRoles.Data)}");
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Storm_gets_silos_within_two_seconds_and_they_go_home_when_it_is_over()
    {
        var cluster = new LoadedCluster(6) { HandshakeCores = 0.3, DataCores = 0.9 };
        cluster.Run(TimeSpan.FromSeconds(30));
        Assert.Empty(cluster.Changes);

        cluster.HandshakeCores = 3;
        cluster.Run(TimeSpan.FromSeconds(2));
        Assert.True(cluster.CountOf(SiloRoles.Handshake) > 3);

        cluster.HandshakeCores = 0.3;
        cluster.Run(TimeSpan.FromSeconds(60));
        Assert.Equal((3, 3), (cluster.CountOf(SiloRoles.Handshake), cluster.CountOf(SiloRoles.Data)));
    }

    [Fact]
    public void Load_that_comes_and_goes_makes_silos_stay_longer_each_time()
    {
        var cluster = new LoadedCluster(6) { HandshakeCores = 0.3, DataCores = 0.3 };
        var changes = new List<int>();
        for (var i = 0; i < 12; i++)
        {
            cluster.HandshakeCores = 4;
            cluster.Run(TimeSpan.FromSeconds(5));
            cluster.HandshakeCores = 0.3;
            cluster.Run(TimeSpan.FromSeconds(15));
            changes.Add(cluster.Changes.Count);
        }

        // Every round in the beginning, none in the end.
        Assert.True(changes[1] > changes[0]);
        Assert.Equal(changes[^1], changes[^4]);
    }

    [Fact]
    public void Clients_that_wait_at_gateways_ask_for_silos_and_no_more_of_them_once_they_become_fewer()
    {
        var silos = Enumerable.Range(0, 20).Select(i =>
        {
            var roles = i < 2 ? SiloRoles.Handshake : SiloRoles.Data;
            var load = new SiloLoad { CpuAllowance = 1, ProcessCpu = i < 2 ? 1 : 0.1, HandshakesPerSecond = i < 2 ? 1000 : 0 };
            return Reports.Silo($"silo-{i:00}", roles) with { StartRoles = roles, CapableRoles = Both, Mode = RoleMode.Auto, Load = load };
        }).ToArray();
        ClusterView Waiting(int count) => Reports.View(1, silos) with { Gateways = [Reports.Gateway("g") with { HandshakeQueue = count }] };
        var (history, now) = (PlannerHistory.Empty, DateTimeOffset.UnixEpoch);
        int Changes(int waiting)
        {
            now += TimeSpan.FromSeconds(0.5);
            var plan = RolePlanner.Plan(Waiting(waiting), history, Standard, now);
            history = plan.History;
            return plan.Changes.Count;
        }

        Assert.All((int[])[9000, 8000, 6000, 4500, 3300, 2400, 1700, 1200], waiting => Assert.Equal(0, Changes(waiting)));
        Assert.Equal([0, 0, 6], new[] { Changes(5000), Changes(6000), Changes(7000) });
    }

    [Fact]
    public void Clients_that_wait_for_other_CPU_ask_for_no_handshake_silos()
    {
        var gateway = Reports.Gateway("g") with { HandshakeQueue = 500 };
        Assert.Equal(500, RolePool.WaitingIn(Reports.View(1) with { Gateways = [gateway, gateway with { HandshakePace = 80 }, gateway with { State = SiloState.Silent }] }));
    }

    [Fact]
    public void Role_that_nobody_has_is_added_to_the_idlest_silo_that_can()
    {
        var view = Reports.View(1,
            Reports.Silo("busy", SiloRoles.Data) with { CapableRoles = Both, StartRoles = SiloRoles.Data, Mode = RoleMode.Auto, Load = new SiloLoad { ProcessCpu = 0.5, CpuAllowance = 1 } },
            Reports.Silo("idle", SiloRoles.Data) with { CapableRoles = Both, StartRoles = SiloRoles.Data, Mode = RoleMode.Auto, Load = new SiloLoad { CpuAllowance = 1 } },
            Reports.Silo("idle-but-no-keys", SiloRoles.Data) with { CapableRoles = SiloRoles.Data, StartRoles = SiloRoles.Data, Mode = RoleMode.Auto, Load = new SiloLoad { CpuAllowance = 1 } });
        var first = RolePlanner.Plan(view, PlannerHistory.Empty, Standard, DateTimeOffset.UnixEpoch);
        Assert.Empty(first.Changes);

        var change = Assert.Single(RolePlanner.Plan(view, first.History, Standard, DateTimeOffset.UnixEpoch + Standard.Missing).Changes);
        Assert.Equal(("idle", SiloRoles.Data, Both), (change.Silo, change.From, change.To));
    }

    [Fact]
    public void Nothing_is_planned_by_a_view_that_does_not_know_everybody_yet()
    {
        var view = Reports.View(1, Reports.Silo("a", SiloRoles.Data) with { CapableRoles = Both, Mode = RoleMode.Auto }) with { Settling = true };
        var history = PlannerHistory.Empty;
        for (var i = 0; i < 20; i++)
        {
            var plan = RolePlanner.Plan(view, history, Standard, DateTimeOffset.UnixEpoch.AddSeconds(i));
            Assert.Empty(plan.Changes);
            history = plan.History;
        }
    }

    private static int Serving(ClusterView view, SiloRoles role)
    {
        var desired = new DesiredState(view);
        return view.Silos.Count(silo => desired.Serves(silo, role));
    }

    private static ClusterView Ordered(ClusterView view, RolePlan plan) => view with
    {
        Orders =
        [
            .. view.Orders.Where(order => !plan.Changes.Any(change => change.Silo == order.Silo)),
            .. plan.Changes.Select(change => (view.OrderFor(change.Silo) ?? new SiloOrder { Silo = change.Silo, Version = 1 }) with { Roles = change.To, By = OrderedBy.Planner }),
        ],
    };

    private static ClusterView Carried(ClusterView view)
    {
        var desired = new DesiredState(view);
        return view with { Silos = [.. view.Silos.Select(silo => silo.State == SiloState.Active ? silo with { Roles = desired.RolesOf(silo) & silo.CapableRoles } : silo)] };
    }
}
