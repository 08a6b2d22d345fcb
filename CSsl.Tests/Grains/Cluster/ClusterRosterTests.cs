using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>The cluster view as it grows from reports, and what of it is published.</summary>
public sealed class ClusterRosterTests
{
    private static readonly TimeSpan Urgent = TimeSpan.FromMilliseconds(50);

    private readonly FakeTimeProvider _clock = new();
    private readonly FakeMembership _membership = new();
    private readonly ClusterRoster _roster;
    private ClusterState _state = new();

    public ClusterRosterTests() => _roster = new ClusterRoster(7, _membership.CurrentSnapshot, _clock);

    [Fact]
    public void View_shows_who_reported_by_name()
    {
        _roster.Report(Reports.Silo("silo-b"), null);
        _roster.Report(Reports.Silo("silo-a"), null);
        _roster.Report(Reports.Gateway("gateway"), null);

        var view = _roster.View(_state);
        Assert.Equal(["silo-a", "silo-b"], view.Silos.Select(silo => silo.Name));
        Assert.Equal(["gateway"], view.Gateways.Select(gateway => gateway.Name));
    }

    [Fact]
    public void Silo_that_membership_says_is_alive_stays_however_slow_its_reports_are()
    {
        Live("silo");
        _roster.Report(Reports.Silo("silo", machineCpu: 0.4), null);
        _clock.Advance(TimeSpan.FromHours(1));
        _roster.Age();
        Assert.Equal((SiloState.Active, 0.4), _roster.View(_state).Silos.Select(silo => (silo.State, silo.Load.MachineCpu)).Single());
    }

    [Fact]
    public void Silo_that_is_dead_by_membership_is_gone_at_once_and_its_late_report_is_ignored()
    {
        Live("silo");
        _roster.Report(Reports.Silo("silo"), null);
        Publish();
        _membership.Set(Reports.Address("silo"), SiloStatus.Dead);
        _roster.Observe(_membership.CurrentSnapshot);
        Assert.Empty(_roster.View(_state).Silos);
        Assert.Equal(Urgent, _roster.PublishIn);
        Assert.Equal(["silo"], Publish()!.Change.GoneSilos);

        _roster.Report(Reports.Silo("silo"), null);
        Assert.Empty(_roster.View(_state).Silos);
        Assert.Null(_roster.PublishIn);
    }

    [Fact]
    public void Gateway_is_silent_after_three_renewals_and_gone_after_twenty_seconds()
    {
        _roster.Report(Reports.Gateway("g"), null);
        Publish();
        _clock.Advance(ClusterRoster.SilentAfter - TimeSpan.FromMilliseconds(1));
        _roster.Age();
        Assert.Equal(SiloState.Active, Assert.Single(_roster.View(_state).Gateways).State);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        _roster.Age();
        Assert.Equal(SiloState.Silent, Assert.Single(Publish()!.Change.Gateways).State);

        _clock.Advance(ClusterRoster.DropAfter - ClusterRoster.SilentAfter);
        _roster.Age();
        Assert.Equal(["g"], Publish()!.Change.GoneGateways);
    }

    [Fact]
    public void Gateway_that_was_leaving_is_gone_when_it_is_silent()
    {
        _roster.Report(Reports.Gateway("g") with { State = SiloState.Draining }, null);
        _clock.Advance(ClusterRoster.SilentAfter);
        _roster.Age();
        Assert.Empty(_roster.View(_state).Gateways);
    }

    [Fact]
    public void Silent_gateway_is_active_again_when_it_reports()
    {
        _roster.Report(Reports.Gateway("g"), null);
        _clock.Advance(ClusterRoster.SilentAfter);
        _roster.Age();
        _roster.Report(Reports.Gateway("g"), null);
        Assert.Equal(SiloState.Active, Assert.Single(_roster.View(_state).Gateways).State);
    }

    [Fact]
    public void Next_run_of_a_silo_replaces_the_one_before_whatever_their_clocks_say_and_that_never_comes_back()
    {
        var old = Reports.Silo("silo", incarnation: Guid.NewGuid(), address: Reports.Address("silo", 1), startedAt: _clock.GetUtcNow());
        var next = Reports.Silo("silo", incarnation: Guid.NewGuid(), address: Reports.Address("silo", 2), startedAt: _clock.GetUtcNow().AddHours(-1));
        _roster.Report(old, null);
        _roster.Report(next, null);
        _roster.Report(old, null);
        Assert.Equal(next.Incarnation, Assert.Single(_roster.View(_state).Silos).Incarnation);

        // On another port, as with Silo:Grains = …:0. Membership says what became of the one before.
        var elsewhere = next with { Incarnation = Guid.NewGuid(), Address = Reports.Address("elsewhere") };
        _roster.Report(elsewhere, null);
        _membership.Set(next.Address, SiloStatus.Dead);
        _roster.Observe(_membership.CurrentSnapshot);
        _roster.Report(next, null);
        Assert.Equal(elsewhere.Incarnation, Assert.Single(_roster.View(_state).Silos).Incarnation);
    }

    [Fact]
    public void Load_that_jitters_is_never_published_one_that_changed_soon_and_a_state_at_once()
    {
        _roster.Report(Reports.Silo("silo"), null);
        Assert.Equal(Urgent, _roster.PublishIn);
        var first = Publish()!;
        Assert.Equal((new ViewVersion(7, 0), new ViewVersion(7, 1)), (first.Change.From, first.Change.To));

        _roster.Report(Reports.Silo("silo", machineCpu: 0.12), null);
        Assert.Null(_roster.PublishIn);
        Assert.Null(Publish());

        _roster.Report(Reports.Silo("silo", machineCpu: 0.3), null);
        Assert.Equal(TimeSpan.FromMilliseconds(250), _roster.PublishIn);
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        _roster.Report(Reports.Silo("silo", machineCpu: 0.5), null);
        Assert.Equal(TimeSpan.FromMilliseconds(150), _roster.PublishIn);

        _roster.Report(Reports.Silo("silo", machineCpu: 0.5, state: SiloState.Draining), null);
        Assert.Equal(Urgent, _roster.PublishIn);
        var next = Publish()!;
        Assert.Equal((0.5, SiloState.Draining), next.Change.Silos.Select(silo => (silo.Load.MachineCpu, silo.State)).Single());
        Assert.Null(_roster.PublishIn);
    }

    [Fact]
    public void Change_has_only_what_changed_and_a_silo_gets_its_own_part_only_when_that_is_more_than_load()
    {
        var (a, b) = (new PushedSilo(), new PushedSilo());
        _roster.Report(Reports.Silo("a"), a);
        _roster.Report(Reports.Silo("b"), b);
        Assert.Equal([(a, "a"), (b, "b")], Publish()!.Parts.Select(part => ((PushedSilo)part.Observer, part.Part.Silos.Single().Name)));

        _roster.Report(Reports.Silo("a", machineCpu: 0.9), a);
        var load = Publish()!;
        Assert.Equal(["a"], load.Change.Silos.Select(silo => silo.Name));
        Assert.Null(load.Change.Orders);
        Assert.Empty(load.Parts);

        var order = new SiloOrder { Silo = "b", Version = 1, Roles = SiloRoles.Data };
        _state = _state with { Orders = [order] };
        var ordered = Publish()!;
        Assert.Empty(ordered.Change.Silos);
        Assert.Equal([order], ordered.Change.Orders);
        Assert.Equal((b, order), ordered.Parts.Select(part => ((PushedSilo)part.Observer, part.Part.Orders.Single())).Single());
        Assert.Equal(ordered.Change.To, _roster.Report(Reports.Silo("b"), b));
        Assert.Equal(new ViewVersion(7, 1), _roster.Report(Reports.Silo("a", machineCpu: 0.9), a));
        Assert.Equal(new ViewVersion(7, 3), _roster.PartOf("b").Version);
    }

    [Fact]
    public void Published_view_is_what_the_changes_make_of_the_one_before()
    {
        var gateway = new PushedGateway();
        gateway.View.Update(_roster.Published);
        for (var i = 0; i < 50; i++)
        {
            Live($"s{i % 7}");
            _roster.Report(Reports.Silo($"s{i % 7}", machineCpu: i / 50.0), null);
            _roster.Report(Reports.Gateway($"g{i % 3}") with { Connections = i }, gateway);
            if (i % 5 == 0)
                _membership.Set(Reports.Address($"s{(i + 3) % 7}"), SiloStatus.Dead);
            _roster.Observe(_membership.CurrentSnapshot);
            if (i % 3 == 0 && Publish() is { } publication)
                Assert.True(gateway.View.TryApply(publication.Change));
        }

        Assert.Equal(_roster.Published.Silos, gateway.View.Current.Silos);
        Assert.Equal(_roster.Published.Gateways, gateway.View.Current.Gateways);
        Assert.Equal(_roster.Published.Version, gateway.View.Current.Version);
    }

    [Fact]
    public void Young_roster_settles_when_all_that_membership_says_are_alive_have_reported()
    {
        Live("a");
        Live("b");
        _roster.Report(Reports.Silo("a"), null);
        _clock.Advance(ClusterRoster.SettleTime);
        _roster.Age();
        Assert.True(_roster.View(_state).Settling);

        _roster.Report(Reports.Silo("b"), null);
        _roster.Age();
        Assert.False(_roster.View(_state).Settling);
        Assert.False(Publish()!.Change.Settling);

        // One that joins later is no reason to be young again.
        Live("c");
        _roster.Age();
        Assert.False(_roster.View(_state).Settling);
    }

    [Fact]
    public void Silo_that_hangs_does_not_keep_the_roster_young_for_ever()
    {
        Live("a");
        _clock.Advance(ClusterRoster.LongestSettleTime - TimeSpan.FromMilliseconds(1));
        _roster.Age();
        Assert.True(_roster.IsSettling);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        _roster.Age();
        Assert.False(_roster.IsSettling);
    }

    [Fact]
    public void Nobody_settles_before_everybody_had_the_time_to_report()
    {
        _clock.Advance(ClusterRoster.SettleTime - TimeSpan.FromMilliseconds(1));
        _roster.Age();
        Assert.True(_roster.IsSettling);
    }

    [Fact]
    public void Number_of_processes_is_bounded()
    {
        for (var i = 0; i < ClusterRoster.MaxMembers; i++)
            _roster.Report(Reports.Gateway("g" + i), null);

        Assert.Throws<InvalidOperationException>(() => _roster.Report(Reports.Gateway("one-more"), null));
        _roster.Report(Reports.Gateway("g0"), null);
    }

    public static TheoryData<SiloReport> BadReports => new(
        Reports.Silo(""),
        Reports.Silo(new string('a', 65)),
        Reports.Silo("two words"),
        Reports.Silo("silo", incarnation: Guid.Empty),
        Reports.Silo("silo", roles: (SiloRoles)8),
        Reports.Silo("silo", state: (SiloState)9),
        Reports.Silo("silo", linkEndpoint: "nowhere"),
        Reports.Silo("silo", linkEndpoint: "127.0.0.1:0"),
        Reports.Silo("silo", linkEndpoint: "two words:1"),
        Reports.Silo("silo", linkEndpoint: "inproc:"),
        Reports.Silo("silo", machineCpu: double.NaN),
        Reports.Silo("silo", machineCpu: -1),
        Reports.Silo("silo") with { Load = null! },
        Reports.Silo("silo") with { Address = null! },
        Reports.Silo("silo") with { Order = new SiloOrder { Silo = "another", Version = 1 } },
        Reports.Silo("silo") with { Order = new SiloOrder { Silo = "silo", Version = 0 } },
        Reports.Silo("silo") with { Trouble = new string('x', 501) },
        Reports.Silo("silo") with { Load = new SiloLoad { HandshakeTime = double.PositiveInfinity } },
        Reports.Silo("silo") with { Load = new SiloLoad { Connections = -1 } });

    [Fact]
    public void Report_of_a_gateway_that_cannot_be_right_is_refused()
    {
        Assert.Throws<ArgumentException>(() => _roster.Report(Reports.Gateway("g") with { HandshakeQueue = -1 }, null));
        Assert.Empty(_roster.View(_state).Gateways);
    }

    [Theory]
    [MemberData(nameof(BadReports))]
    public void Report_that_cannot_be_right_is_refused(SiloReport report)
    {
        Assert.Throws<ArgumentException>(() => _roster.Report(report, null));
        Assert.Empty(_roster.View(_state).Silos);
    }

    private void Live(string silo)
    {
        _membership.Set(Reports.Address(silo), SiloStatus.Active);
        _roster.Observe(_membership.CurrentSnapshot);
    }

    private Publication? Publish() => _roster.Publish(_state);
}
