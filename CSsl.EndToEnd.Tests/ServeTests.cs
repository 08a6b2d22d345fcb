using System.Security.Cryptography;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>All of C-SSL in one process.</summary>
public sealed class OneProcess() : ClusterSite(new ClusterSettings { Command = "serve" });

/// <summary>`cssl serve`: the same frames through memory instead of sockets, so the same for every client.</summary>
[Collection(OwnCluster.Name)]
public sealed class ServeTests(OneProcess site, ITestOutputHelper output) : ClusterTest(site.Cluster, output), IClassFixture<OneProcess>
{
    [Fact]
    public async Task All_of_it_is_one_process()
    {
        IReadOnlyList<ClusterProcess> processes = await Cluster.StatusAsync();

        Assert.Equal(["gateway", "silo"], processes.Select(process => process.Kind));
        Assert.All(processes, process => Assert.Equal(Cluster.ProcessId, process.ProcessId));
    }

    [Theory]
    [InlineData("--tlsv1.3", "--http1.1")]
    [InlineData("--tlsv1.3", "--http2")]
    [InlineData("--tls-max 1.2", "--http1.1")]
    [InlineData("--tls-max 1.2", "--http2")]
    public async Task Curl_downloads_what_the_origin_has(string tls, string http)
    {
        const int Size = 200_000_000;
        string hash = "";

        ToolResult result = await Tool.RunAsync(
            "curl", ["-sS", .. tls.Split(' '), http, "--cacert", Cluster.CertificateAuthority, Url($"/bytes/{Size}")],
            sink: async (body, cancellation) => hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(body, cancellation)));

        result.Succeeded();
        Assert.Equal(OriginContent.Sha256(Size), hash);
    }

    [Theory]
    [InlineData("-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256")]
    [InlineData("-tls1_2 -cipher ECDHE-RSA-AES256-SHA384")]
    [InlineData("-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256")]
    public async Task Openssl_downloads_with_each_kind_of_suite(string suite)
    {
        ToolResult result = (await SClient.GetAsync(Cluster, "/bytes/100000", ["-brief", .. suite.Split(' ')])).Succeeded();
        Assert.Equal(OriginContent.Sha256(100_000), HttpText.Parse(result.Output).Sha256);
    }

    [Fact]
    public async Task Upload_arrives_whole()
    {
        byte[] body = RandomNumberGenerator.GetBytes(20_000_000);
        await using Tool curl = Tool.Start("curl", ["-sS", "--cacert", Cluster.CertificateAuthority, "-X", "POST", "-T", "-", Url("/sink")]);
        await curl.Input.WriteAsync(body);
        curl.CloseInput();

        Assert.Equal($"{body.Length} {OriginContent.Sha256(body)}\n", (await curl.ExitAsync()).Succeeded().Output);
    }

    [Theory]
    [InlineData("-tls1_3")]
    [InlineData("-tls1_2")]
    public async Task Session_is_resumed(string version)
    {
        using var folder = new TempDirectory();
        (await SClient.GetAsync(Cluster, "/", "-brief", version, "-sess_out", folder.File("session"))).Succeeded();

        ToolResult result = (await SClient.GetAsync(Cluster, "/", version, "-sess_in", folder.File("session"))).Succeeded();

        Assert.Contains("Reused, TLSv1", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-c10", "-m10")]
    [InlineData("-c20", "--h1")]
    public async Task H2load_has_every_request_answered(string clients, string mode)
    {
        ToolResult result = (await Tool.RunAsync("h2load", ["-n2000", clients, mode, Url("/bytes/1024")])).Succeeded();
        Assert.Contains("2000 succeeded, 0 failed, 0 errored, 0 timeout", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_response_is_an_error_for_the_client()
    {
        ToolResult result = await Tool.RunAsync("curl", ["-sS", "--cacert", Cluster.CertificateAuthority, "-o", "/dev/null", Url("/die?after=500000")]);
        Assert.NotEqual(0, result.ExitCode);
    }
}
