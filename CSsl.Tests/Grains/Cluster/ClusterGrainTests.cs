using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>Commands, what becomes of them, and what is pushed.</summary>
public sealed class ClusterGrainTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new();
    private readonly RecordingLogger<ClusterGrain> _log = new();
    private readonly FakeState<ClusterState> _stored = new();
    private readonly FakeMembership _membership = new();
    private readonly PushedGateway _gateway = new();
    private ClusterGrain _grain = null!;

    public async ValueTask InitializeAsync() => _grain = await ActivateAsync();

    public async ValueTask DisposeAsync() => await _grain.OnDeactivateAsync(new DeactivationReason(DeactivationReasonCode.None, ""), CancellationToken.None);

    public static TheoryData<SiloCommand, CommandOutcome, string> Refused => new()
    {
        { new SiloCommand { Silo = "dtaa-1", Drain = true }, CommandOutcome.UnknownSilo, "there is no silo 'dtaa-1', did you mean 'data-1'?" },
        { new SiloCommand { Silo = "elsewhere", Drain = true }, CommandOutcome.UnknownSilo, "there is no silo 'elsewhere'; there are data-1, data-2, hand-1" },
        { new SiloCommand { Silo = "hand-1", Drain = true }, CommandOutcome.Refused, "hand-1 is the last silo with the role handshake: clients could not be served any more" },
        { new SiloCommand { Silo = "hand-1", Roles = SiloRoles.Data }, CommandOutcome.Refused, "hand-1 is the last silo with the role handshake: clients could not be served any more" },
        { new SiloCommand { Silo = "data-2", Roles = SiloRoles.Handshake }, CommandOutcome.Refused, "data-2 can't take the role handshake: it was started without Certificates" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Mistake_is_refused_with_its_reason(SiloCommand command, CommandOutcome outcome, string reason)
    {
        await ReportAllAsync();
        var answer = await _grain.Command(command, CancellationToken.None);
        Assert.Equal((outcome, reason, (SiloOrder?)null), (answer.Outcome, answer.Reason, answer.Order));
        Assert.Empty((await _grain.GetView(CancellationToken.None)).Orders);
    }

    [Fact]
    public async Task Refusal_is_provisional_until_every_silo_has_reported()
    {
        _membership.Set(Hand().Address, SiloStatus.Active);
        _membership.Set(Data("data-1").Address, SiloStatus.Active);
        await ReportAsync(Hand());
        _clock.Advance(TimeSpan.FromSeconds(5));
        var command = new SiloCommand { Silo = "data-1", Drain = true };
        Assert.True((await _grain.Command(command, CancellationToken.None)).IsProvisional);
        Assert.Empty(_log.Lines);

        await ReportAsync(Data("data-1"));
        var answer = await _grain.Command(command, CancellationToken.None);
        Assert.Equal((CommandOutcome.Refused, false), (answer.Outcome, answer.IsProvisional));
        Assert.Single(_log.Lines);
    }

    [Fact]
    public async Task Last_silo_of_a_role_goes_by_force()
    {
        await ReportAllAsync();
        var answer = await _grain.Command(new SiloCommand { Silo = "hand-1", Drain = true, Force = true }, CancellationToken.None);
        Assert.Equal(CommandOutcome.Ordered, answer.Outcome);
    }

    [Fact]
    public async Task Second_of_two_silos_is_the_last_as_soon_as_the_first_was_ordered_to_drain()
    {
        await ReportAllAsync();
        Assert.Equal(CommandOutcome.Ordered, (await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None)).Outcome);
        Assert.Equal(CommandOutcome.Refused, (await _grain.Command(new SiloCommand { Silo = "data-2", Drain = true }, CancellationToken.None)).Outcome);
    }

    [Fact]
    public async Task Order_is_pushed_at_once_to_its_silo_and_every_change_of_roles_is_logged_and_listed()
    {
        var (one, two) = (new PushedSilo(), new PushedSilo());
        await ReportAllAsync();
        await ReportAsync(Data("data-1"), one);
        await ReportAsync(Data("data-2"), two);
        await ReportAsync(Reports.Gateway("g"));
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        _gateway.View.Update(await _grain.GetView(CancellationToken.None));
        one.Parts.Clear();
        two.Parts.Clear();
        _gateway.Changes.Clear();

        var answer = await _grain.Command(new SiloCommand { Silo = "data-1", Roles = SiloRoles.Handshake | SiloRoles.Data }, CancellationToken.None);
        Assert.Equal(answer.Order, Assert.Single(one.Parts).OrderFor("data-1"));
        Assert.Equal("data-1", Assert.Single(one.Parts[0].Silos).Name);
        Assert.Empty(two.Parts);
        Assert.Empty(Assert.Single(_gateway.Changes).Silos);
        Assert.Equal(answer.Order, _gateway.View.Current.OrderFor("data-1"));

        var decision = Assert.Single(_gateway.View.Current.Decisions);
        Assert.Equal(("data-1", SiloRoles.Data, SiloRoles.Handshake | SiloRoles.Data, OrderedBy.Operator), (decision.Silo, decision.From, decision.To, decision.By));
        Assert.Contains(_log.Lines, line => line.Message.Contains("roles of data-1: Data -> Handshake, Data, by the Operator", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cluster_at_rest_is_quiet()
    {
        await ReportAllAsync();
        await ReportAsync(Reports.Gateway("g"));
        _clock.Advance(TimeSpan.FromSeconds(5));
        _gateway.Changes.Clear();
        var writes = _stored.Writes;
        for (var i = 0; i < 100; i++)
        {
            await ReportAsync(Hand() with { Load = new SiloLoad { MachineCpu = 0.1 + (i % 4 / 100.0), ResidentBytes = i * 1000 } });
            await ReportAsync(Reports.Gateway("g") with { ProcessCpu = i % 3 / 100.0 });
            _clock.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Empty(_gateway.Changes);
        Assert.Equal(writes, _stored.Writes);
    }

    [Fact]
    public async Task Silo_that_dies_by_membership_is_gone_from_the_views_of_the_gateways()
    {
        await ReportAllAsync();
        await ReportAsync(Reports.Gateway("g"));
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        _gateway.View.Update(await _grain.GetView(CancellationToken.None));
        _membership.Set(Data("data-2").Address, SiloStatus.Dead);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(["data-1", "hand-1"], _gateway.View.Current.Silos.Select(static silo => silo.Name));
    }

    [Fact]
    public async Task Next_activation_knows_what_was_ordered_and_its_views_are_newer_whatever_its_clock_says()
    {
        await ReportAllAsync();
        var drain = (await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None)).Order!;
        var mode = (await _grain.Command(new SiloCommand { Silo = "data-2", Mode = RoleMode.Auto, Roles = SiloRoles.None, Force = true }, CancellationToken.None)).Order!;
        _gateway.View.Update(await _grain.GetView(CancellationToken.None));

        var earlier = new FakeTimeProvider(_clock.GetUtcNow().AddDays(-1));
        var next = await ActivateAsync(earlier);
        var expected = await next.ReportGateway(Reports.Gateway("g"), _gateway, _gateway.View.Current.Version, CancellationToken.None);
        Assert.True(_gateway.View.IsBehind(expected));
        _gateway.View.Update(await next.GetView(CancellationToken.None));
        Assert.Equal([drain, mode], _gateway.View.Current.Orders);
        await next.ReportSilo(Data("data-1"), null, default, CancellationToken.None);
        earlier.Advance(TimeSpan.FromMilliseconds(50));

        var view = _gateway.View.Current;
        Assert.Equal((await next.GetView(CancellationToken.None)).Version, view.Version);
        Assert.Equal([drain, mode], view.Orders);
        Assert.Equal(("data-2", SiloRoles.None), view.Decisions.Select(decision => (decision.Silo, decision.To)).Single());
        Assert.Equal(["data-1", "data-2", "hand-1"], view.Silos.Select(silo => silo.Name));
    }

    [Fact]
    public async Task Order_that_cannot_be_stored_is_not_given()
    {
        await ReportAllAsync();
        _stored.Failure = new IOException("no database.");
        var answer = await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None);
        Assert.Equal((CommandOutcome.NotStored, "the order can't be stored: no database."), (answer.Outcome, answer.Reason));
        Assert.Empty((await _grain.GetView(CancellationToken.None)).Orders);

        _stored.Failure = null;
        Assert.Equal(CommandOutcome.Ordered, (await _grain.Command(new SiloCommand { Silo = "data-2", Drain = true }, CancellationToken.None)).Outcome);
        Assert.Equal(["data-2"], _stored.State.Orders.Select(order => order.Silo));
    }

    [Fact]
    public async Task Silos_are_told_a_key_that_all_have_once_it_is_stored()
    {
        var (one, two) = (new PushedSilo(), new PushedSilo());
        await ReportAsync(Data("data-1") with { SealingKeys = "k1" }, one);
        await ReportAsync(Data("data-2") with { SealingKeys = "k1" }, two);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(("k1", "k1", "k1"), (one.Parts[^1].SealingKey, two.Parts[^1].SealingKey, _stored.State.SealingKey));

        await ReportAsync(Data("data-1") with { SealingKeys = "k2,k1" }, one);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("k1", (await _grain.GetPart("data-1", CancellationToken.None)).SealingKey);

        _stored.Failure = new IOException("no database.");
        await ReportAsync(Data("data-2") with { SealingKeys = "k2,k1" }, two);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("k1", (await _grain.GetPart("data-2", CancellationToken.None)).SealingKey);

        _stored.Failure = null;
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(("k2", "k2", "k2"), (one.Parts[^1].SealingKey, two.Parts[^1].SealingKey, _stored.State.SealingKey));
        Assert.Contains(_log.Lines, static line => line.Message == "silos seal under k2 from now on; before: k1");
    }

    [Fact]
    public async Task Young_grain_keeps_the_key_until_it_knows_everybody()
    {
        _stored.State = new ClusterState { SealingKey = "k1" };
        await _stored.WriteStateAsync();
        var next = await ActivateAsync();
        _membership.Set(Data("data-2").Address, SiloStatus.Active);
        var (one, two) = (new PushedSilo(), new PushedSilo());
        await next.ReportSilo(Data("data-1") with { SealingKeys = "k2" }, one, default, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("k1", one.Parts[^1].SealingKey);
        await next.ReportSilo(Data("data-2") with { SealingKeys = "k1,k2" }, two, default, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(("k1", "k1"), (one.Parts[^1].SealingKey, two.Parts[^1].SealingKey));
        await next.OnDeactivateAsync(new DeactivationReason(DeactivationReasonCode.None, ""), CancellationToken.None);
    }

    [Fact]
    public async Task Database_that_is_older_than_the_cluster_makes_a_later_epoch()
    {
        var known = new ViewVersion(100, 5);
        await _grain.ReportGateway(Reports.Gateway("g"), _gateway, known, CancellationToken.None);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        var expected = await _grain.ReportGateway(Reports.Gateway("g"), _gateway, known, CancellationToken.None);
        Assert.True(expected > known);
        Assert.Equal(101, _stored.State.Epoch);
    }

    [Fact]
    public async Task Drain_is_for_one_run_and_roles_are_for_the_name()
    {
        await ReportAllAsync();
        await _grain.Command(new SiloCommand { Silo = "data-1", Roles = SiloRoles.Handshake }, CancellationToken.None);
        await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None);

        var again = Data("data-1") with { Incarnation = Guid.NewGuid() };
        await ReportAsync(again);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        var order = (await _grain.GetPart("data-1", CancellationToken.None)).OrderFor("data-1")!;
        Assert.False(order.Drains(again.Incarnation));
        Assert.Equal(SiloRoles.Handshake, order.Roles);
        Assert.Equal(_stored.State.Orders, [order]);
    }

    [Fact]
    public async Task Planner_goes_on_while_nothing_can_be_stored_and_its_orders_are_stored_later()
    {
        _stored.Failure = new IOException("no database.");
        await StormAsync();
        Assert.Equal(SiloRoles.Handshake, (await _grain.GetView(CancellationToken.None)).OrderFor("data-1")!.Roles);
        Assert.Empty(_stored.State.Orders);
        Assert.Single(_log.Lines, line => line.Message.Contains("orders can't be stored", StringComparison.Ordinal));

        _stored.Failure = null;
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(SiloRoles.Handshake, Assert.Single(_stored.State.Orders).Roles);
    }

    [Fact]
    public async Task Storm_moves_a_silo_by_itself_with_a_reason_in_the_view()
    {
        await StormAsync();
        var view = await _grain.GetView(CancellationToken.None);
        var decision = Assert.Single(view.Decisions);
        Assert.Equal(("data-1", SiloRoles.Handshake, OrderedBy.Planner), (decision.Silo, decision.To, decision.By));
        Assert.StartsWith("1 handshake silo at 400 % for", decision.Reason, StringComparison.Ordinal);
        Assert.Equal(SiloRoles.Handshake, view.OrderFor("data-1")!.Roles);

        // From the end of the settling, 2 s after the first report.
        Assert.InRange(decision.At - _clock.GetUtcNow().AddSeconds(-4), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3.5));
    }

    [Fact]
    public async Task Second_living_gateway_of_a_name_is_refused_and_the_first_stays()
    {
        var (first, second) = (Run("g"), Run("g"));
        await ReportAsync(first);
        await ReportAsync(second);
        _clock.Advance(ReportChange.Renewal);
        await ReportAsync(first);
        for (var i = 0; i < 30; i++)
        {
            _clock.Advance(ReportChange.Renewal);
            var refusal = await Assert.ThrowsAsync<DuplicateNameException>(async () => await ReportAsync(second));
            Assert.StartsWith("a gateway with the name g lives already (process 43)", refusal.Message, StringComparison.Ordinal);
            await ReportAsync(first);
            Assert.Equal([first.Incarnation], await GatewaysAsync());
        }

        // It ends as it was told, which is nothing to refuse; and when the first is gone, the name is free.
        await ReportAsync(second with { State = SiloState.Draining });
        _clock.Advance(ClusterRoster.SilentAfter + ReportChange.Renewal);
        await ReportAsync(second);
        _clock.Advance(ReportChange.Renewal);
        Assert.Equal([second.Incarnation], await GatewaysAsync());
    }

    [Fact]
    public async Task All_but_the_first_of_several_gateways_of_a_name_are_refused()
    {
        GatewayReport[] runs = [Run("g"), Run("g"), Run("g"), Run("g")];
        HashSet<GatewayReport> refused = [];
        for (var i = 0; i < 10; i++)
        {
            foreach (var run in runs.Except(refused).ToList())
            {
                if (await Record.ExceptionAsync(async () => await ReportAsync(run)) is DuplicateNameException)
                    refused.Add(run);
            }

            _clock.Advance(ReportChange.Renewal);
        }

        Assert.Equal(runs[1..].ToHashSet(), refused);
        Assert.Equal([runs[0].Incarnation], await GatewaysAsync());
    }

    [Fact]
    public async Task Gateway_that_was_killed_and_is_started_again_is_taken_at_once_and_stays()
    {
        var (killed, next) = (Run("g"), Run("g"));
        await ReportAsync(killed);
        for (var i = 0; i < 10; i++)
        {
            await ReportAsync(next);
            _clock.Advance(TimeSpan.FromMilliseconds(300));
            Assert.Equal([next.Incarnation], await GatewaysAsync());
            _clock.Advance(ReportChange.Renewal);
        }
    }

    [Fact]
    public async Task Gateway_that_leaves_gives_its_name_to_its_successor_and_does_not_take_it_back()
    {
        var (leaving, next) = (Run("g") with { State = SiloState.Draining }, Run("g"));
        await ReportAsync(leaving);
        for (var i = 0; i < 10; i++)
        {
            await ReportAsync(next);
            await ReportAsync(leaving);
            _clock.Advance(ReportChange.Renewal);
            Assert.Equal([next.Incarnation], await GatewaysAsync());
        }
    }

    [Fact]
    public async Task Gateway_that_hung_for_so_long_that_another_has_its_name_is_the_one_that_ends()
    {
        var (hung, next) = (Run("g"), Run("g"));
        await ReportAsync(hung);
        for (var i = 0; i < 5; i++)
        {
            await ReportAsync(next);
            _clock.Advance(ReportChange.Renewal);
        }

        await ReportAsync(hung);
        await ReportAsync(next);
        await Assert.ThrowsAsync<DuplicateNameException>(async () => await ReportAsync(hung));
    }

    [Fact]
    public async Task Command_that_cannot_be_right_is_refused()
        => await Assert.ThrowsAsync<ArgumentException>(async () => await _grain.Command(new SiloCommand { Silo = "a", Roles = (SiloRoles)64 }, CancellationToken.None));

    private static SiloReport Data(string name) => Reports.Silo(name, SiloRoles.Data) with { StartRoles = SiloRoles.Data, CapableRoles = name == "data-1" ? SiloRoles.Data | SiloRoles.Handshake : SiloRoles.Data };

    private static SiloReport Hand() => Reports.Silo("hand-1", SiloRoles.Handshake) with { StartRoles = SiloRoles.Handshake, CapableRoles = SiloRoles.Data | SiloRoles.Handshake };

    private async Task<ClusterGrain> ActivateAsync(FakeTimeProvider? clock = null)
    {
        var grain = new ClusterGrain(_stored, _membership, new FakeTimers(clock ?? _clock), clock ?? _clock, Options.Create(new ClusterOptions()), _log);
        await _stored.ReadStateAsync();
        await grain.OnActivateAsync(CancellationToken.None);
        return grain;
    }

    private ValueTask<ViewVersion> ReportAsync(SiloReport report, ISiloObserver? observer = null) => _grain.ReportSilo(report, observer, default, CancellationToken.None);

    private ValueTask<ViewVersion> ReportAsync(GatewayReport report) => _grain.ReportGateway(report, _gateway, default, CancellationToken.None);

    private static GatewayReport Run(string name) => Reports.Gateway(name) with { Incarnation = Guid.NewGuid() };

    private async Task<IEnumerable<Guid>> GatewaysAsync() => (await _grain.GetView(CancellationToken.None)).Gateways.Select(static gateway => gateway.Incarnation);

    private async Task ReportAllAsync()
    {
        foreach (var report in (SiloReport[])[Hand(), Data("data-1"), Data("data-2")])
            await ReportAsync(report);
    }

    private async Task StormAsync()
    {
        for (var i = 0; i < 8; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(0.5));
            await ReportAsync(Hand() with { Load = new SiloLoad { ProcessCpu = 1, CpuAllowance = 1, HandshakeQueue = 100, HandshakeTime = 0.08 } });
            await ReportAsync(Data("data-1") with { Mode = RoleMode.Auto, Load = new SiloLoad { CpuAllowance = 1 } });
            await ReportAsync(Data("data-2"));
        }
    }
}
