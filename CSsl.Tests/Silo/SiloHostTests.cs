using System.Collections;
using System.Net;
using System.Text.Json;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Silo;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class SiloHostTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Fact]
    public async Task A_started_silo_is_in_the_cluster_view_with_its_roles_and_link()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var view = silo.Application.Services.GetRequiredService<ClusterViewHolder>();

        await Eventually.TrueAsync(() => view.Current.Silos.Any(static s => s.State == SiloState.Active), "active in the view");

        var report = Assert.Single(view.Current.Silos);
        Assert.Equal("s1", report.Name);
        Assert.Equal(SiloRoles.Handshake | SiloRoles.Data, report.Roles);
        Assert.Equal(silo.LinkEndpoint, report.LinkEndpoint);
        Assert.Equal(Environment.ProcessId, report.ProcessId);
    }

    [Fact]
    public async Task The_admin_endpoint_tells_health_status_and_metrics_and_nothing_else()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        using var client = silo.NewHttpClient();
        Assert.Equal("hello", await client.GetStringAsync("/"));
        using var admin = new HttpClient { BaseAddress = new Uri($"http://{silo.Application.Services.GetRequiredService<SiloAdminAddress>()}/") };
        await Eventually.TrueAsync(async () => (await admin.GetAsync("/healthz")).IsSuccessStatusCode, "healthy");
        await Eventually.TrueAsync(async () => (await admin.GetAsync("/readyz")).IsSuccessStatusCode, "ready");
        Assert.Equal("ok\n", await admin.GetStringAsync("/livez"));

        using var status = JsonDocument.Parse(await admin.GetStringAsync("/status"));
        Assert.Equal("s1", status.RootElement.GetProperty("name").GetString());
        Assert.Equal("Active", status.RootElement.GetProperty("state").GetString());
        var metrics = await admin.GetStringAsync("/metrics");
        Assert.Contains("cssl_sessions_attached_total 1", metrics, StringComparison.Ordinal);
        Assert.Contains("cssl_handshakes_completed_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("group=\"", metrics, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.GetAsync("/")).StatusCode);
        Assert.Equal("hello", await client.GetStringAsync("/status"));
    }

    [Fact]
    public async Task A_session_that_stays_is_found_in_the_cluster_and_ends_on_request()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);
        var grain = silo.Application.Services.GetRequiredService<IGrainFactory>().GetGrain<ISessionGrain>(session.SessionId);

        await Eventually.TrueAsync(async () => await grain.Find(CancellationToken.None) is { Silo: "s1", Client: "203.0.113.7:50123" }, "found");
        Assert.True(await grain.End(CancellationToken.None));

        Assert.Equal(CSsl.Link.CloseReason.Done, await session.Channel.Closed);
        await Eventually.TrueAsync(async () => await grain.Find(CancellationToken.None) is null, "not found any more");
    }

    [Fact]
    public async Task A_silo_without_a_role_refuses_what_the_role_is_for()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:Roles=Handshake");

        Assert.Equal(CSsl.Link.CloseReason.Refused, await silo.Gateway.Attach(DirectSession.NewAttach(silo, Guid.NewGuid())).Closed);
    }

    [Fact]
    public async Task A_data_silo_needs_no_certificate_and_loads_none()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:Roles=Data", "--Certificates:0:Key=/nowhere/key.pem");

        Assert.False(silo.Application.Services.GetRequiredService<CSsl.Silo.Handshake.CertificateVault>().IsOpen);
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await session.ReadTextUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--Certificates:0:Key=/nowhere/key.pem", "/nowhere/key.pem")]
    [InlineData("--Cluster:KeyFile=/nowhere/cluster.key", "Cluster:KeyFile")]
    [InlineData("--Cluster:SealingKeyFile=/nowhere/sealing.keys", "Cluster:SealingKeyFile")]
    [InlineData("--Cluster:Database=", "Cluster:Database")]
    public void What_can_not_be_loaded_is_one_line_that_names_it(string argument, string named)
    {
        using var folder = new TempDirectory();
        var builder = CsslConfiguration.CreateBuilder(CsslConfiguration.Load([.. TestSilo.WriteConfiguration(folder, certificates), argument], new Hashtable(), folder.Path));

        var error = Assert.Throws<ConfigurationException>(builder.AddCsslSilo);

        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task A_proxy_section_that_is_wrong_is_one_line_that_says_where()
    {
        var error = await Assert.ThrowsAsync<ConfigurationException>(() => TestSilo.StartAsync(certificates, "--ReverseProxy:Routes:broken:ClusterId=origin", "--ReverseProxy:Routes:broken:Match:Path={nonsense"));

        Assert.Contains("'broken'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task The_cluster_key_is_wiped_when_the_silo_has_ended()
    {
        var silo = await TestSilo.StartAsync(certificates);
        var key = silo.Application.Services.GetRequiredService<CSsl.Tls.Sessions.SecretBytes>();
        var bytes = key.Memory;
        Assert.True(bytes.Span.ContainsAnyExcept((byte)0));

        await silo.DisposeAsync();

        Assert.False(bytes.Span.ContainsAnyExcept((byte)0));
        Assert.Throws<ObjectDisposedException>(() => key.Length);
    }
}
