using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>Who gets the next connection.</summary>
public sealed class SiloPickerTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ClusterViewHolder _view = new();
    private long _version;

    private static Gen<SiloReport> SiloNamed(string name)
        => from roles in Gen.Elements(SiloRoles.None, SiloRoles.Handshake, SiloRoles.Data, SiloRoles.Handshake | SiloRoles.Data)
           from state in Gen.Elements(SiloState.Joining, SiloState.Active, SiloState.Active, SiloState.Draining, SiloState.Silent)
           from cpu in Gen.Choose(0, 100)
           from inFlight in Gen.Choose(0, 5000)
           from reachable in Gen.Elements(true, true, false)
           select Reports.Silo(name, roles, state, linkEndpoint: reachable ? "127.0.0.1:1" : "127.0.0.1:2") with
           {
               Load = new SiloLoad { MachineCpu = cpu / 100.0, HandshakesInFlight = inFlight, Connections = inFlight },
           };

    private static Gen<SiloReport[]> Clusters
        => from size in Gen.Choose(0, 12)
           from silos in Gen.CollectToArray(Enumerable.Range(0, size).Select(i => SiloNamed("silo-" + i)))
           select silos;

    private static Gen<SiloRoles> Role => Gen.Elements(SiloRoles.Handshake, SiloRoles.Data);

    [Fact]
    public void Silo_that_uses_up_its_quota_is_busier_than_one_on_a_busier_machine()
    {
        var quota = new SiloLoad { MachineCpu = 0.1, ProcessCpu = 0.19, CpuAllowance = 0.2 };
        var machine = new SiloLoad { MachineCpu = 0.6, ProcessCpu = 1, CpuAllowance = 8 };
        Assert.True(LoadScore.Of(quota, SiloRoles.Data) > LoadScore.Of(machine, SiloRoles.Data));
    }

    [Fact]
    public void Choice_always_has_the_role_is_active_and_can_be_reached_and_is_null_only_when_there_is_none()
        => Prop.ForAll(Arb.From(Clusters), Arb.From(Role), (silos, role) =>
        {
            using var picker = Picker(IsReachable, silos);
            var fit = silos.Where(silo => silo.State == SiloState.Active && (silo.Roles & role) != 0 && IsReachable(silo)).ToList();
            for (var i = 0; i < 20; i++)
            {
                var choice = picker.Pick(role);
                Assert.Equal(fit.Count == 0, choice is null);
                Assert.True(choice is null || fit.Contains(choice));
            }

            Assert.Equal(fit.Count > 0, picker.CanPick(role));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_two_silos_the_less_busy_is_chosen()
        => Prop.ForAll(Arb.From(Gen.Choose(0, 100)), Arb.From(Gen.Choose(0, 100)), Arb.From(Role), (a, b, role) =>
        {
            using var picker = Picker(_ => true, Reports.Silo("a", machineCpu: a / 100.0), Reports.Silo("b", machineCpu: b / 100.0));
            var choice = picker.Pick(role)!;
            Assert.Equal(Math.Min(a, b) / 100.0, choice.Load.MachineCpu);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Busiest_silo_is_never_chosen_while_its_score_is_above_all_others()
        => Prop.ForAll(Arb.From(Gen.Choose(2, 10)), Arb.From(Role), (others, role) =>
        {
            SiloReport[] silos = [Reports.Silo("busy", machineCpu: 0.99), .. Enumerable.Range(0, others).Select(i => Reports.Silo("idle-" + i))];
            using var picker = Picker(_ => true, silos);
            for (var i = 0; i < 100; i++)
                Assert.NotEqual("busy", picker.Pick(role)!.Name);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void More_work_never_lowers_a_score()
        => Prop.ForAll(Arb.From(SiloNamed("a")), Arb.From(SiloNamed("b")), Arb.From(Role), (one, more, role) =>
        {
            var sum = new SiloLoad
            {
                MachineCpu = one.Load.MachineCpu + more.Load.MachineCpu,
                HandshakesInFlight = one.Load.HandshakesInFlight + more.Load.HandshakesInFlight,
                Connections = one.Load.Connections + more.Load.Connections,
            };
            Assert.True(LoadScore.Of(sum, role) >= LoadScore.Of(one.Load, role));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Equal_silos_get_equal_shares_between_two_reports()
    {
        using var picker = Picker(_ => true, [.. Enumerable.Range(0, 8).Select(i => Reports.Silo("silo-" + i))]);
        var shares = Enumerable.Range(0, 8000).CountBy(_ => picker.Pick(SiloRoles.Data)!.Name).Select(share => share.Value).ToList();

        // With one random choice the spread of 8 x 1000 is about +-90; with two choices it is a few.
        Assert.All(shares, share => Assert.InRange(share, 980, 1020));
    }

    [Fact]
    public void Choices_count_until_the_next_report_only()
    {
        using var picker = Picker(_ => true, Reports.Silo("a", machineCpu: 0.10), Reports.Silo("b", machineCpu: 0.11));
        ChooseUntil(picker, "b");

        Update(Reports.Silo("a", machineCpu: 0.101), Reports.Silo("b", machineCpu: 0.11));
        Assert.Equal("a", picker.Pick(SiloRoles.Handshake)!.Name);
    }

    [Fact]
    public void Choices_of_a_silo_that_reports_the_same_again_are_forgotten_after_a_second()
    {
        // Between two steps of a choice, so that the two are never equal.
        SiloReport[] silos = [Reports.Silo("a", machineCpu: 0.10), Reports.Silo("b", machineCpu: 0.1103)];
        using var picker = Picker(_ => true, silos);
        ChooseUntil(picker, "b");

        _clock.Advance(TimeSpan.FromSeconds(0.5));
        Update(silos);
        Assert.Equal(["a", "b"], new[] { picker.Pick(SiloRoles.Handshake)!.Name, picker.Pick(SiloRoles.Handshake)!.Name }.Order());

        _clock.Advance(TimeSpan.FromSeconds(0.5));
        Update(silos);
        Assert.Equal("a", picker.Pick(SiloRoles.Handshake)!.Name);
    }

    [Theory]
    [InlineData(1, 0.0004)]
    [InlineData(1, 0.004)]
    [InlineData(8, 0.0004)]
    public void Load_settles_however_many_gateways_choose_by_reports_that_are_half_a_second_old(int gateways, double cost)
    {
        // Four silos whose load is what they got in the last interval: with a step per choice that is too small, all go to the idlest, in turns.
        const int Silos = 4;
        var perGateway = (int)(0.6 * Silos / cost / gateways);
        var views = Enumerable.Range(0, gateways).Select(_ => new ClusterViewHolder()).ToList();
        var loads = new double[Silos];
        loads[0] = 0.5;
        UpdateAll();
        var pickers = views.Select(view => new SiloPicker(view, _ => true, _clock, new Random(1))).ToList();
        double imbalance = 0;
        for (var interval = 0; interval < 40; interval++)
        {
            var taken = new int[Silos];
            foreach (var picker in pickers)
            {
                for (var i = 0; i < perGateway; i++)
                    taken[picker.Pick(SiloRoles.Handshake)!.Name[^1] - '0']++;
            }

            loads = [.. taken.Select(count => count * cost)];
            imbalance = loads.Max() / loads.Average();
            _clock.Advance(TimeSpan.FromSeconds(0.5));
            UpdateAll();
        }

        Assert.InRange(imbalance, 1, 1.1);
        pickers.ForEach(picker => picker.Dispose());

        void UpdateAll()
        {
            _version++;
            foreach (var view in views)
                view.Update(Reports.View(_version, [.. loads.Select((load, i) => Reports.Silo($"silo-{i}", machineCpu: Math.Min(1, load)))]));
        }
    }

    [Fact]
    public void Silos_that_were_tried_are_not_chosen_again()
    {
        using var picker = Picker(_ => true, Reports.Silo("a"), Reports.Silo("b"));
        Assert.Equal("b", picker.Pick(SiloRoles.Data, ["a"])!.Name);
        Assert.Null(picker.Pick(SiloRoles.Data, ["a", "b"]));
    }

    [Fact]
    public void Link_that_is_lost_takes_its_silo_out_at_the_next_refresh()
    {
        var up = true;
        using var picker = Picker(_ => up, Reports.Silo("a"));
        Assert.NotNull(picker.Pick(SiloRoles.Data));
        up = false;
        picker.Refresh();
        Assert.Null(picker.Pick(SiloRoles.Data));
    }

    /// <summary>Takes choices until it is this one's turn, which is soon: each that another one gets counts.</summary>
    private static void ChooseUntil(SiloPicker picker, string name)
    {
        const int Most = 100;
        var choices = Enumerable.Range(0, Most).Select(_ => picker.Pick(SiloRoles.Handshake)!.Name);
        Assert.True(choices.Contains(name), $"{name} is none of {Most} choices");
    }

    private static bool IsReachable(SiloReport silo) => silo.LinkEndpoint.EndsWith('1');

    private SiloPicker Picker(Func<SiloReport, bool> reachable, params SiloReport[] silos)
    {
        Update(silos);
        return new SiloPicker(_view, reachable, _clock, new Random(1));
    }

    private void Update(params SiloReport[] silos) => _view.Update(Reports.View(++_version, silos));
}
