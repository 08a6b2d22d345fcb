using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CSsl.Database;
using CSsl.Hosting;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Who belongs together: clusters that share a machine and a database don't see each other, and who lacks the key stays outside.</summary>
[Collection(WaitingForSilos.Name)]
public sealed class SeparateClustersTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int BadConfiguration = 2, InUse = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Clusters_that_share_a_machine_and_a_database_do_not_see_each_other()
    {
        using var folder = new TempDirectory();
        using var otherCertificates = new TestCertificates();
        await using var blue = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        await using var green = new StandaloneCluster("green", folder.File("cluster.db"), otherCertificates);

        // Even the names of the silos are the same.
        blue.StartSilo("silo");
        green.StartSilo("silo");
        blue.StartGateway();
        green.StartGateway();
        await Task.WhenAll(blue.ReadyAsync(), green.ReadyAsync());

        Assert.Equal(["blue-gateway", "silo"], await NamesAsync(blue));
        Assert.Equal(["green-gateway", "silo"], await NamesAsync(green));

        // Each client gets the certificate of its own cluster's silo: it trusts no other.
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(blue, certificates));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(green, otherCertificates));
    }

    [Fact]
    public async Task Silo_with_another_key_is_refused_and_gets_no_client()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        Tool silo = cluster.StartSilo("silo");
        cluster.StartGateway();
        await cluster.ReadyAsync();

        ToolResult stranger = await cluster.StartSilo("stranger", cluster.WriteKey("another.key")).ExitAsync().WaitAsync(Patience);

        Assert.Equal(BadConfiguration, stranger.ExitCode);
        Assert.Contains("can't join", stranger.Output, StringComparison.Ordinal);
        Assert.Contains("does not have its cluster key", stranger.Output, StringComparison.Ordinal);
        Assert.Equal(["blue-gateway", "silo"], await NamesAsync(cluster));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(cluster, certificates));
    }

    [Fact]
    public async Task Gateway_with_another_key_is_refused_and_never_ready()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        Tool silo = cluster.StartSilo("silo");
        await silo.Output.WaitForAsync("silo silo (Handshake, Data) of cluster blue: links on", Patience);

        Tool gateway = cluster.StartGateway(cluster.WriteKey("another.key"));

        // It reads the membership table itself, and does not stay to ask the silos again and again.
        ToolResult refused = await gateway.ExitAsync().WaitAsync(Patience);
        Assert.Equal(BadConfiguration, refused.ExitCode);
        Assert.Contains("this process does not have its cluster key (Cluster:KeyFile)", refused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_gateway_of_a_name_ends_with_one_line_and_the_first_goes_on()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        cluster.StartSilo("silo");
        cluster.StartGateway();
        await cluster.ReadyAsync();

        ToolResult second = await cluster.StartGateway(null, "--Gateway:Listen=127.0.0.1:0", "--Gateway:Admin=127.0.0.1:0").ExitAsync().WaitAsync(Patience);

        Assert.Equal(InUse, second.ExitCode);
        Assert.Contains("cssl: a gateway with the name blue-gateway lives already (process ", second.Output, StringComparison.Ordinal);
        Assert.True(await cluster.IsReadyAsync());
        Assert.Equal(["blue-gateway", "silo"], await NamesAsync(cluster));
    }

    [Theory]
    [InlineData(Stranger.Plain)]
    [InlineData(Stranger.WithoutCertificate)]
    [InlineData(Stranger.WithAnotherKey)]
    public async Task Who_does_not_prove_the_cluster_key_is_refused_at_both_ports_of_a_silo_and_the_log_says_why_once(Stranger stranger)
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        Tool silo = cluster.StartSilo("silo");
        await silo.Output.WaitForAsync("silo silo (Handshake, Data) of cluster blue: links on", Patience);
        (int silos, int gateways) = Assert.Single(await ClusterDatabase.Of(folder.File("cluster.db")).ReadAsync(
            new Query("SELECT Port, ProxyPort FROM OrleansMembershipTable"), static row => (row.GetInt32(0), row.GetInt32(1))));
        Assert.Equal(2, new[] { silos, gateways }.Distinct().Count());

        for (int i = 0; i < 5; i++)
        {
            await AssertRefusedAsync(silos, stranger);
            await AssertRefusedAsync(gateways, stranger);
        }

        await silo.Output.WaitForAsync("it did not prove that it belongs to this cluster", Patience);
        Assert.Single(Regex.Matches(silo.Output.Text(), "did not prove"));

        // Whoever has the key is let in, and the silo has come to no harm.
        cluster.StartGateway();
        await cluster.ReadyAsync();
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(cluster, certificates));
    }

    [Fact]
    public async Task Silo_with_the_name_of_one_that_lives_is_refused()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        Tool silo = cluster.StartSilo("silo");
        await silo.Output.WaitForAsync("silo silo (Handshake, Data) of cluster blue: links on", Patience);

        ToolResult second = await cluster.StartSilo("silo").ExitAsync().WaitAsync(Patience);

        Assert.Equal(InUse, second.ExitCode);
        Assert.Contains("cssl: a silo with the name silo lives already, at 127.0.0.1:", second.Output, StringComparison.Ordinal);

        // One that was killed does not stand in the way of its successor.
        silo.Kill();
        await cluster.StartSilo("silo").Output.WaitForAsync("silo silo (Handshake, Data) of cluster blue: links on", Patience);
    }

    [Fact]
    public async Task Dashboard_is_served_when_it_is_asked_for_and_to_this_machine_only()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);
        int[] ports = Ports.Free(2);
        Tool with = cluster.StartSilo("with", null, "--Admin:OrleansDashboard=true", $"--Silo:Admin=127.0.0.1:{ports[0]}");
        await with.Output.WaitForAsync("of cluster blue: links on", Patience);
        Tool without = cluster.StartSilo("without", null, $"--Silo:Admin=127.0.0.1:{ports[1]}");
        await without.Output.WaitForAsync("of cluster blue: links on", Patience);

        using var client = new HttpClient { Timeout = Patience };
        Assert.Contains("<html", await client.GetStringAsync($"http://127.0.0.1:{ports[0]}/orleans/"), StringComparison.OrdinalIgnoreCase);
        using (JsonDocument counters = JsonDocument.Parse(await client.GetStringAsync($"http://127.0.0.1:{ports[0]}/orleans/DashboardCounters")))
            Assert.True(counters.RootElement.TryGetProperty("hosts", out _), counters.RootElement.GetRawText());
        Assert.Equal("ok\n", await client.GetStringAsync($"http://127.0.0.1:{ports[0]}/livez"));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"http://127.0.0.1:{ports[1]}/orleans/")).StatusCode);

        // A name that was pointed at this machine (DNS rebinding).
        using var rebound = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{ports[0]}/orleans/") { Headers = { Host = "evil.example" } };
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(rebound)).StatusCode);
    }

    [Fact]
    public async Task Gateway_without_a_silo_says_so_and_serves_when_one_comes()
    {
        using var folder = new TempDirectory();
        await using var cluster = new StandaloneCluster("blue", folder.File("cluster.db"), certificates);

        Tool gateway = cluster.StartGateway();

        await gateway.Output.WaitForAsync("Waiting for the first silo of cluster blue (Cluster:Id)", Patience);
        cluster.StartSilo("silo");
        await cluster.ReadyAsync();
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync(cluster, certificates));
    }

    /// <summary>The processes that the cluster's gateway knows.</summary>
    private static async Task<string[]> NamesAsync(StandaloneCluster cluster)
    {
        using JsonDocument status = JsonDocument.Parse(await cluster.Admin.GetStringAsync("status"));
        return [.. status.RootElement.GetProperty("processes").EnumerateArray().Select(static process => process.GetProperty("name").GetString()!)];
    }

    /// <summary>Who comes to a port of Orleans's.</summary>
    public enum Stranger
    {
        Plain,
        WithoutCertificate,
        WithAnotherKey,
    }

    /// <summary>The connection ends before anything of Orleans came.</summary>
    private static async Task AssertRefusedAsync(int port, Stranger stranger)
    {
        using var deadline = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
        byte[] buffer = new byte[4096];
        if (stranger == Stranger.Plain)
        {
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), deadline.Token);
            await AssertEndAsync(client.GetStream(), isTls: false);
            return;
        }

        using ClusterIdentity other = ClusterIdentity.Derive(RandomNumberGenerator.GetBytes(32));
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, static (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "c-ssl", ClientCertificates = stranger == Stranger.WithAnotherKey ? [other.Certificate] : [] }, deadline.Token);
        await AssertEndAsync(tls, isTls: true);

        async Task AssertEndAsync(Stream stream, bool isTls)
        {
            try
            {
                // An alert may come in the clear before the end.
                for (int read; (read = await stream.ReadAsync(buffer, deadline.Token)) > 0;)
                    Assert.True(!isTls && buffer[0] == 21, $"{read} bytes came");
            }
            catch (IOException)
            {
                // Reset, or ended by an alert.
            }
        }
    }

    /// <summary>404: the silo serves, and has no routes.</summary>
    private static async Task<HttpStatusCode> GetAsync(StandaloneCluster cluster, TestCertificates trusted)
    {
        using var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trusted.ChainPolicy } };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using HttpResponseMessage answer = await client.GetAsync($"https://localhost:{cluster.Port}/");
        return answer.StatusCode;
    }
}
