using System.Net;
using System.Text.Json;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Who belongs together: clusters that share a machine and a database don't see each other, and who lacks the key stays outside.</summary>
[Collection(OwnCluster.Name)]
public sealed class SeparateClustersTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int BadConfiguration = 2;

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

    /// <summary>404: the silo serves, and has no routes.</summary>
    private static async Task<HttpStatusCode> GetAsync(StandaloneCluster cluster, TestCertificates trusted)
    {
        using var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trusted.ChainPolicy } };
        using var client = new HttpClient(handler) { Timeout = Patience };
        using HttpResponseMessage answer = await client.GetAsync($"https://localhost:{cluster.Port}/");
        return answer.StatusCode;
    }
}
