using CSsl.Gateway.Admission;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>Whose CPU holds handshakes back, and how much.</summary>
public sealed class HandshakeAdmissionTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ClusterViewHolder _view = new();
    private readonly HandshakeAdmission _admission;
    private long _version;

    public HandshakeAdmissionTests() => _admission = new HandshakeAdmission(new LimitsOptions { HandshakesPerFullCore = 100 }, _view, _clock);

    [Fact]
    public void Nothing_is_held_back_while_gateway_and_data_silos_have_CPU()
    {
        Publish(Gateway(cpu: 1.75), Silo("d1", SiloRoles.Data, cpu: 3.5), Silo("h1", SiloRoles.Handshake, cpu: 4));
        Assert.Equal(double.PositiveInfinity, _admission.Pace);
    }

    [Fact]
    public void Full_gateway_begins_so_many_for_each_of_its_cores()
    {
        Publish(Gateway(cpu: 1.95), Silo("d1", SiloRoles.Data, cpu: 1));
        Assert.Equal(200, _admission.Pace);
    }

    [Fact]
    public void Gateway_that_gets_to_its_work_late_is_full_too()
    {
        Publish(Gateway(cpu: 0.5) with { SchedulingDelay = 0.2 });
        Assert.Equal(200, _admission.Pace);
    }

    [Fact]
    public void Full_data_silos_set_a_pace_that_the_gateways_share()
    {
        Publish(Gateway(cpu: 0.5), Silo("d1", SiloRoles.Data, cpu: 4), Silo("d2", SiloRoles.Data, cpu: 4), Silo("d3", SiloRoles.Data, cpu: 0) with { State = SiloState.Draining });
        Assert.Equal(800, _admission.Pace);
        Publish(Gateway(cpu: 0.5), Gateway(cpu: 0.5) with { Name = "other" }, Silo("d1", SiloRoles.Data, cpu: 4));
        Assert.Equal(200, _admission.Pace);
    }

    [Fact]
    public void One_full_data_silo_of_two_is_no_reason()
    {
        Publish(Gateway(cpu: 0.5), Silo("d1", SiloRoles.Data, cpu: 4), Silo("d2", SiloRoles.Data, cpu: 1));
        Assert.Equal(double.PositiveInfinity, _admission.Pace);
    }

    [Fact]
    public void Fewer_cores_of_two_that_are_full_set_the_pace()
    {
        Publish(Gateway(cpu: 2), Silo("d1", SiloRoles.Data, cpu: 4));
        Assert.Equal(200, _admission.Pace);
    }

    [Fact]
    public async Task Clients_wait_for_the_pace_and_are_refused_when_their_time_is_over()
    {
        Publish(Gateway(cpu: 2));
        _clock.Advance(TimeSpan.FromSeconds(1));
        var answers = Enumerable.Range(0, 2000).Select(_ => _admission.EnterAsync().AsTask()).ToList();
        Assert.Equal((20, 1980), (answers.Count(static answer => answer.IsCompleted), _admission.Waiting));

        for (var tick = 0; tick < 20; tick++)
            _clock.Advance(TimeSpan.FromSeconds(0.05));
        Assert.InRange(_admission.UnderWay, 210, 225);
        for (var tick = 0; tick < 80; tick++)
            _clock.Advance(TimeSpan.FromSeconds(0.05));
        Assert.Equal(0, _admission.Waiting);
        Assert.InRange((await Task.WhenAll(answers)).Count(static isAdmitted => isAdmitted), 1000, 1030);
    }

    [Fact]
    public void Limit_of_0_is_none()
    {
        using var admission = new HandshakeAdmission(new LimitsOptions { HandshakesPerFullCore = 0 }, _view, _clock);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        admission.Observe(Gateway(cpu: 2));
        Assert.Equal(double.PositiveInfinity, admission.Pace);
    }

    public void Dispose() => _admission.Dispose();

    private void Publish(GatewayReport self, params SiloReport[] silos) => Publish(self, null, silos);

    private void Publish(GatewayReport self, GatewayReport? other, params SiloReport[] silos)
    {
        _view.Update(new ClusterView { Version = new ViewVersion(1, ++_version), Silos = silos, Gateways = other is null ? [self] : [self, other] });
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        _admission.Observe(self);
    }

    private static GatewayReport Gateway(double cpu) => Reports.Gateway("gateway") with { ProcessCpu = cpu, CpuAllowance = 2 };

    private static SiloReport Silo(string name, SiloRoles roles, double cpu) => Reports.Silo(name, roles) with { Load = new SiloLoad { ProcessCpu = cpu, CpuAllowance = 4 } };
}
