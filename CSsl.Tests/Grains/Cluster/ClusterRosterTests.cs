using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>The cluster view as it grows from reports.</summary>
public sealed class ClusterRosterTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void View_shows_who_reported_by_name()
    {
        var roster = new ClusterRoster(_clock);
        roster.Report(Reports.Silo("silo-b"));
        roster.Report(Reports.Silo("silo-a"));
        roster.Report(Reports.Gateway("gateway"));

        var view = roster.View();
        Assert.Equal(["silo-a", "silo-b"], view.Silos.Select(silo => silo.Name));
        Assert.Equal(["gateway"], view.Gateways.Select(gateway => gateway.Name));
    }

    [Fact]
    public void Silo_is_silent_after_two_seconds_and_gone_after_fifteen()
    {
        var roster = new ClusterRoster(_clock);
        roster.Report(Reports.Silo("silo"));
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(SiloState.Active, Assert.Single(roster.View().Silos).State);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(SiloState.Silent, Assert.Single(roster.View().Silos).State);

        _clock.Advance(TimeSpan.FromSeconds(12.9));
        Assert.Single(roster.View().Silos);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Empty(roster.View().Silos);
    }

    [Theory]
    [InlineData(SiloState.Draining)]
    [InlineData(SiloState.Drained)]
    public void Silo_that_was_leaving_is_gone_when_it_is_silent(SiloState state)
    {
        var roster = new ClusterRoster(_clock);
        roster.Report(Reports.Silo("silo", state: state));
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Single(roster.View().Silos);
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Empty(roster.View().Silos);
    }

    [Fact]
    public void Silent_silo_is_active_again_when_it_reports()
    {
        var roster = new ClusterRoster(_clock);
        roster.Report(Reports.Silo("silo"));
        _clock.Advance(TimeSpan.FromSeconds(5));
        _ = roster.View();
        roster.Report(Reports.Silo("silo"));

        Assert.Equal(SiloState.Active, Assert.Single(roster.View().Silos).State);
    }

    [Fact]
    public void Newer_incarnation_replaces_the_older_and_the_older_never_comes_back()
    {
        var roster = new ClusterRoster(_clock);
        var old = Reports.Silo("silo", incarnation: Guid.NewGuid(), startedAt: _clock.GetUtcNow());
        var young = Reports.Silo("silo", incarnation: Guid.NewGuid(), startedAt: _clock.GetUtcNow().AddSeconds(1));
        roster.Report(old);
        roster.Report(young);
        roster.Report(old);

        Assert.Equal(young.Incarnation, Assert.Single(roster.View().Silos).Incarnation);
    }

    [Fact]
    public void View_is_the_same_instance_until_something_changes_and_its_version_grows()
    {
        var roster = new ClusterRoster(_clock);
        roster.Report(Reports.Silo("silo"));
        var first = roster.View();
        Assert.Same(first, roster.View());

        roster.Report(Reports.Silo("silo", machineCpu: 0.9));
        Assert.True(roster.View().Version > first.Version);
    }

    [Fact]
    public void Version_grows_from_one_activation_to_the_next()
    {
        var roster = new ClusterRoster(_clock);
        for (var i = 0; i < 100; i++)
            roster.Report(Reports.Silo("silo" + i));
        var last = roster.View().Version;
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True(new ClusterRoster(_clock).View().Version > last);
    }

    [Fact]
    public void Young_roster_says_that_it_is_settling_until_everybody_had_the_time_to_report()
    {
        var roster = new ClusterRoster(_clock);
        Assert.True(roster.View().Settling);
        _clock.Advance(ClusterRoster.SilentAfter);
        Assert.False(roster.View().Settling);
    }

    [Fact]
    public void Number_of_processes_is_bounded()
    {
        var roster = new ClusterRoster(_clock);
        for (var i = 0; i < ClusterRoster.MaxMembers; i++)
            roster.Report(Reports.Gateway("g" + i));

        Assert.Throws<InvalidOperationException>(() => roster.Report(Reports.Gateway("one-more")));
        roster.Report(Reports.Gateway("g0"));
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
        Reports.Silo("silo") with { Order = new SiloOrder { Silo = "another", Version = 1 } },
        Reports.Silo("silo") with { Order = new SiloOrder { Silo = "silo", Version = 0 } },
        Reports.Silo("silo") with { Trouble = new string('x', 501) },
        Reports.Silo("silo") with { Load = new SiloLoad { HandshakeTime = double.PositiveInfinity } },
        Reports.Silo("silo") with { Load = new SiloLoad { Connections = -1 } });

    public static TheoryData<GatewayReport> BadGatewayReports => new(
        Reports.Gateway("g") with { HandshakeQueue = -1 },
        Reports.Gateway("g") with { Memory = new ClusterMemory { Orders = [null!] } },
        Reports.Gateway("g") with { Memory = new ClusterMemory { Orders = null! } },
        Reports.Gateway("g") with { Memory = new ClusterMemory { Orders = [new SiloOrder { Silo = "two words", Version = 1 }] } },
        Reports.Gateway("g") with { Memory = new ClusterMemory { Decisions = [null!] } },
        Reports.Gateway("g") with { Memory = new ClusterMemory { Orders = [.. Enumerable.Range(0, ClusterRoster.MaxMembers + 1).Select(i => new SiloOrder { Silo = "s" + i, Version = 1 })] } });

    [Theory]
    [MemberData(nameof(BadGatewayReports))]
    public void Report_of_a_gateway_that_cannot_be_right_is_refused(GatewayReport report)
    {
        var roster = new ClusterRoster(_clock);
        Assert.Throws<ArgumentException>(() => roster.Report(report));
        Assert.Empty(roster.View().Gateways);
        Assert.Empty(roster.Orders.Orders);
    }

    [Theory]
    [MemberData(nameof(BadReports))]
    public void Report_that_cannot_be_right_is_refused(SiloReport report)
    {
        var roster = new ClusterRoster(_clock);
        Assert.Throws<ArgumentException>(() => roster.Report(report));
        Assert.Empty(roster.View().Silos);
    }
}
