using CSsl.Grains.Cluster;
using CSsl.Link;
using CSsl.Silo.Handshake;
using CSsl.Silo.Lifecycle;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Xunit;

namespace CSsl.Tests.Silo.Lifecycle;

/// <summary>A silo does what the cluster orders, while it runs.</summary>
public sealed class SiloReconcilerTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const SiloRoles Both = SiloRoles.Handshake | SiloRoles.Data;

    [Fact]
    public async Task Certificates_are_in_memory_only_while_the_silo_has_the_handshake_role()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:Roles=Data");
        var vault = silo.Application.Services.GetRequiredService<CertificateVault>();
        await ActiveAsync(silo);
        Assert.False(vault.IsOpen);

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = Both });
        await Eventually.TrueAsync(() => ReportOf(silo).Roles == Both, "both roles");
        Assert.True(vault.IsOpen);
        using var client = silo.NewHttpClient();
        Assert.Equal("hello", await client.GetStringAsync("/"));

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Data, Force = true });
        await Eventually.TrueAsync(() => !vault.IsOpen, "the keys are wiped");
        Assert.Equal(SiloRoles.Data, ReportOf(silo).Roles);
        using var late = silo.NewHttpClient();
        await Assert.ThrowsAnyAsync<Exception>(() => late.GetStringAsync("/"));
    }

    [Fact]
    public async Task Request_under_way_is_answered_when_the_silo_loses_the_data_role_and_no_other_comes_in()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        var (reached, go) = silo.HoldAnswers("at last");
        using var client = silo.NewHttpClient();
        var answer = client.GetStringAsync("/");
        await reached;

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Handshake, Force = true });
        var status = silo.Application.Services.GetRequiredService<SiloStatus>();
        await Eventually.TrueAsync(() => !status.Takes(SiloRoles.Data), "no new sessions");
        Assert.Equal(CloseReason.Refused, await silo.Gateway.Attach(DirectSession.NewAttach(silo, Guid.NewGuid())).Closed);
        Assert.Equal(1, silo.Sessions.Count);

        go.SetResult();
        Assert.Equal("at last", await answer);
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
    }

    [Fact]
    public async Task Drained_silo_serves_again_when_it_is_told_to()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        using var client = silo.NewHttpClient();
        Assert.Equal("hello", await client.GetStringAsync("/"));

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Drain = true, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).State == SiloState.Drained, "drained");
        Assert.Equal(0, silo.Sessions.Count);
        Assert.Equal(Both, ReportOf(silo).Roles);

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Drain = false });
        await Eventually.TrueAsync(() => ReportOf(silo).State == SiloState.Active, "active again");
        using var next = silo.NewHttpClient();
        Assert.Equal("hello", await next.GetStringAsync("/"));
    }

    [Fact]
    public async Task Role_that_cannot_be_taken_is_reported_with_its_reason_and_the_silo_goes_on()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:Roles=Data", "--Certificates:0:Key=/nowhere/key.pem");
        await ActiveAsync(silo);
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = Both });

        await Eventually.TrueAsync(() => ReportOf(silo).Trouble is not null, "trouble");
        Assert.Contains("/nowhere/key.pem", ReportOf(silo).Trouble, StringComparison.Ordinal);
        Assert.Equal((SiloRoles.Data, SiloState.Active), (ReportOf(silo).Roles, ReportOf(silo).State));
    }

    [Fact]
    public async Task Keys_are_wiped_when_another_order_comes_while_the_handshake_role_is_let_go()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        var vault = silo.Application.Services.GetRequiredService<CertificateVault>();
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Data, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).Roles == SiloRoles.Data, "the role is let go");
        Assert.True(vault.IsOpen);

        var second = await OrderAsync(silo, new SiloCommand { Silo = "s1", Mode = RoleMode.Fixed });
        await Eventually.TrueAsync(() => ReportOf(silo).Order == second, "the second order is acted on");
        await Eventually.TrueAsync(() => !vault.IsOpen, "the keys are wiped");
        Assert.False(silo.Application.Services.GetRequiredService<SiloStatus>().Takes(SiloRoles.Handshake));
    }

    [Fact]
    public async Task Keys_are_wiped_and_the_silo_is_drained_when_it_is_told_to_drain_while_the_handshake_role_is_let_go()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        var vault = silo.Application.Services.GetRequiredService<CertificateVault>();
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Data, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).Roles == SiloRoles.Data, "the role is let go");

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Drain = true, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).State == SiloState.Drained, "drained");
        Assert.False(vault.IsOpen);
    }

    [Fact]
    public async Task Silo_that_drains_is_drained_when_it_loses_a_role_meanwhile()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        var vault = silo.Application.Services.GetRequiredService<CertificateVault>();
        var (reached, go) = silo.HoldAnswers("at last");
        using var client = silo.NewHttpClient();
        var answer = client.GetStringAsync("/");
        await reached;
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Drain = true, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).State == SiloState.Draining, "draining");

        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Data, Force = true });
        await Eventually.TrueAsync(() => !vault.IsOpen, "the keys are wiped while the request is under way");
        Assert.Equal(SiloState.Draining, ReportOf(silo).State);

        go.SetResult();
        Assert.Equal("at last", await answer);
        await Eventually.TrueAsync(() => ReportOf(silo).State == SiloState.Drained, "drained");
    }

    [Fact]
    public async Task Role_that_is_given_back_while_it_is_let_go_is_kept()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await ActiveAsync(silo);
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.None, Force = true });
        await Eventually.TrueAsync(() => ReportOf(silo).Roles == SiloRoles.None, "both are let go");
        await OrderAsync(silo, new SiloCommand { Silo = "s1", Roles = SiloRoles.Handshake });
        var status = silo.Application.Services.GetRequiredService<SiloStatus>();
        await Eventually.TrueAsync(() => !status.Takes(SiloRoles.Data), "data is let go");
        Assert.True(status.Takes(SiloRoles.Handshake));
        Assert.True(silo.Application.Services.GetRequiredService<CertificateVault>().IsOpen);
    }

    private static SiloReport ReportOf(TestSilo silo) => silo.Application.Services.GetRequiredService<ClusterViewHolder>().Current.Silos.Single();

    private static Task ActiveAsync(TestSilo silo) => Eventually.TrueAsync(
        () => silo.Application.Services.GetRequiredService<ClusterViewHolder>().Current.Silos is [{ State: SiloState.Active }], "active in the view");

    private static async Task<SiloOrder> OrderAsync(TestSilo silo, SiloCommand command)
    {
        var answer = await silo.Application.Services.GetRequiredService<IGrainFactory>().GetGrain<IClusterGrain>(0).Command(command, CancellationToken.None);
        Assert.Equal((CommandOutcome.Ordered, ""), (answer.Outcome, answer.Reason));
        return answer.Order!;
    }
}
