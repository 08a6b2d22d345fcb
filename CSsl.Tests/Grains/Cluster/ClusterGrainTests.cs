using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>Commands, and what becomes of them.</summary>
public sealed class ClusterGrainTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly RecordingLogger<ClusterGrain> _log = new();
    private readonly ClusterGrain _grain;

    public ClusterGrainTests() => _grain = NewGrain();

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
        await _grain.ReportSilo(Hand(), CancellationToken.None);
        var command = new SiloCommand { Silo = "hand-1", Drain = true };
        Assert.True((await _grain.Command(command, CancellationToken.None)).IsProvisional);
        Assert.Empty(_log.Lines);

        _clock.Advance(TimeSpan.FromSeconds(2));
        await _grain.ReportSilo(Hand(), CancellationToken.None);
        Assert.False((await _grain.Command(command, CancellationToken.None)).IsProvisional);
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
    public async Task Order_is_in_the_answer_to_the_next_report_and_every_change_of_roles_is_logged_and_listed()
    {
        await ReportAllAsync();
        var answer = await _grain.Command(new SiloCommand { Silo = "data-1", Roles = SiloRoles.Handshake | SiloRoles.Data }, CancellationToken.None);

        Assert.Equal(answer.Order, (await _grain.ReportSilo(Data("data-1"), CancellationToken.None)).OrderFor("data-1"));
        var decision = Assert.Single((await _grain.GetView(CancellationToken.None)).Decisions);
        Assert.Equal(("data-1", SiloRoles.Data, SiloRoles.Handshake | SiloRoles.Data, OrderedBy.Operator), (decision.Silo, decision.From, decision.To, decision.By));
        Assert.Contains(_log.Lines, line => line.Message.Contains("roles of data-1: Data -> Handshake, Data, by the Operator", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Silo_gets_its_own_part_of_the_view_and_a_gateway_the_whole()
    {
        await ReportAllAsync();
        var order = (await _grain.Command(new SiloCommand { Silo = "data-1", Mode = RoleMode.Auto }, CancellationToken.None)).Order!;

        var part = await _grain.ReportSilo(Data("data-2"), CancellationToken.None);
        Assert.Equal("data-2", Assert.Single(part.Silos).Name);
        Assert.Empty(part.Orders);
        var next = await _grain.ReportSilo(Data("data-1"), CancellationToken.None);
        Assert.Equal(order, Assert.Single(next.Orders));
        Assert.True(next.Version > part.Version);

        var whole = await _grain.ReportGateway(Reports.Gateway("g"), CancellationToken.None);
        Assert.Equal(["data-1", "data-2", "hand-1"], whole.Silos.Select(static silo => silo.Name));
        Assert.Equal([order], whole.Orders);
    }

    [Fact]
    public async Task New_activation_learns_orders_from_the_silos_that_obey_and_the_rest_from_a_gateway()
    {
        await ReportAllAsync();
        var obeyed = (await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None)).Order!;
        var unheard = (await _grain.Command(new SiloCommand { Silo = "data-2", Mode = RoleMode.Auto }, CancellationToken.None)).Order!;
        var seen = await _grain.GetView(CancellationToken.None);

        var young = NewGrain();
        await young.ReportSilo(Data("data-1") with { State = SiloState.Draining, Order = obeyed }, CancellationToken.None);
        Assert.Equal([obeyed], (await young.GetView(CancellationToken.None)).Orders);

        await young.ReportGateway(Reports.Gateway("g") with { Memory = new ClusterMemory { Orders = seen.Orders, Decisions = seen.Decisions } }, CancellationToken.None);
        var view = await young.GetView(CancellationToken.None);
        Assert.Equal([obeyed, unheard], view.Orders);
        Assert.Null(Assert.Single(view.Gateways).Memory);
    }

    [Fact]
    public async Task Silo_that_starts_again_under_its_name_keeps_its_roles_and_serves()
    {
        await ReportAllAsync();
        await _grain.Command(new SiloCommand { Silo = "data-1", Roles = SiloRoles.Handshake }, CancellationToken.None);
        await _grain.Command(new SiloCommand { Silo = "data-1", Drain = true }, CancellationToken.None);

        var again = Data("data-1") with { Incarnation = Guid.NewGuid(), StartedAt = _clock.GetUtcNow().AddMinutes(1) };
        var order = (await _grain.ReportSilo(again, CancellationToken.None)).OrderFor("data-1")!;
        Assert.False(order.Drains(again.Incarnation));
        Assert.Equal(SiloRoles.Handshake, order.Roles);
    }

    [Fact]
    public async Task Storm_moves_a_silo_by_itself_with_a_reason_in_the_view()
    {
        for (var i = 0; i < 8; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(0.5));
            await _grain.ReportSilo(Hand() with { Load = new SiloLoad { ProcessCpu = 1, CpuAllowance = 1, HandshakeQueue = 100, HandshakeTime = 0.08 } }, CancellationToken.None);
            await _grain.ReportSilo(Data("data-1") with { Mode = RoleMode.Auto, Load = new SiloLoad { CpuAllowance = 1 } }, CancellationToken.None);
            await _grain.ReportSilo(Data("data-2"), CancellationToken.None);
        }

        var view = await _grain.GetView(CancellationToken.None);
        var decision = Assert.Single(view.Decisions);
        Assert.Equal(("data-1", SiloRoles.Handshake, OrderedBy.Planner), (decision.Silo, decision.To, decision.By));
        Assert.StartsWith("1 handshake silo at 400 % for", decision.Reason, StringComparison.Ordinal);
        Assert.Equal(SiloRoles.Handshake, view.OrderFor("data-1")!.Roles);

        // From the end of the settling, 2 s after the first report.
        Assert.InRange(decision.At - _clock.GetUtcNow().AddSeconds(-4), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3.5));
    }

    [Fact]
    public async Task Command_that_cannot_be_right_is_refused()
        => await Assert.ThrowsAsync<ArgumentException>(async () => await _grain.Command(new SiloCommand { Silo = "a", Roles = (SiloRoles)64 }, CancellationToken.None));

    private static SiloReport Data(string name) => Reports.Silo(name, SiloRoles.Data) with { StartRoles = SiloRoles.Data, CapableRoles = name == "data-1" ? SiloRoles.Data | SiloRoles.Handshake : SiloRoles.Data };

    private static SiloReport Hand() => Reports.Silo("hand-1", SiloRoles.Handshake) with { StartRoles = SiloRoles.Handshake, CapableRoles = SiloRoles.Data | SiloRoles.Handshake };

    private ClusterGrain NewGrain() => new(_clock, Options.Create(new ClusterOptions()), _log);

    private async Task ReportAllAsync()
    {
        foreach (var report in (SiloReport[])[Hand(), Data("data-1"), Data("data-2")])
            await _grain.ReportSilo(report, CancellationToken.None);
    }
}
