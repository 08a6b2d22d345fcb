using System.Security.Cryptography;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>The same site with each record engine: real clients can't tell them apart, and under load records share calls of the engine and of the system.</summary>
[Collection(OwnCluster.Name)]
public sealed class EngineTests(ITestOutputHelper output)
{
    private const int Size = 100_000;

    private static readonly string[] Suites12 =
    [
        "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
    ];

    private static readonly string[] Suites13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

    [Theory]
    [InlineData("Managed", "managed")]
    [InlineData("IpsecMb", "ipsec-mb ")]
    public async Task Every_suite_carries_downloads_and_uploads_and_load_is_aggregated(string engine, string name)
    {
        await using Cluster site = await Cluster.StartAsync(new ClusterSettings { Command = "serve", Arguments = [$"--Engine={engine}"] });
        await site.Log.WaitForAsync($"record engine {name}", TimeSpan.FromSeconds(5));

        foreach (string suite in Suites13)
            await DownloadAsync(site, "-tls1_3", "-ciphersuites", suite);
        foreach (string suite in Suites12)
            await DownloadAsync(site, "-tls1_2", "-cipher", suite);
        foreach (string suite in (string[])["--tls13-ciphers TLS_AES_128_GCM_SHA256", "--tls-max 1.2 --ciphers ECDHE-RSA-AES256-SHA384", "--tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305"])
            await UploadAsync(site, suite.Split(' '));

        await LoadIsAggregatedAsync(site);
    }

    [Fact]
    public async Task An_engine_that_does_not_exist_is_refused_with_the_names_of_those_that_do()
    {
        ToolResult result = await Cssl.RunAsync(["serve", "--https", $"{Ports.Free(1)[0]}", "--Engine=Fast"]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Auto, Managed, IpsecMb", result.Error, StringComparison.Ordinal);
    }

    private static async Task DownloadAsync(Cluster site, string version, string option, string suite)
    {
        ToolResult result = (await SClient.GetAsync(site, $"/bytes/{Size}", "-brief", version, option, suite)).Succeeded();
        Assert.Contains($"Ciphersuite: {suite}", result.Error, StringComparison.Ordinal);
        Assert.Equal(OriginContent.Sha256(Size), HttpText.Parse(result.Output).Sha256);
    }

    private static async Task UploadAsync(Cluster site, string[] suite)
    {
        byte[] body = RandomNumberGenerator.GetBytes(3_000_000);
        await using Tool curl = Tool.Start("curl", ["-sS", .. suite, "--cacert", site.CertificateAuthority, "-X", "POST", "-T", "-", $"https://localhost:{site.Port}/sink"]);
        await curl.Input.WriteAsync(body);
        curl.CloseInput();
        Assert.Equal($"{body.Length} {OriginContent.Sha256(body)}\n", (await curl.ExitAsync()).Succeeded().Output);
    }

    private async Task LoadIsAggregatedAsync(Cluster site)
    {
        var before = await CountersAsync(site);
        ToolResult result = (await Tool.RunAsync("h2load", ["-n640", "-c64", "--h1", $"https://localhost:{site.Port}/bytes/1000000"])).Succeeded();
        Assert.Contains("640 succeeded, 0 failed, 0 errored, 0 timeout", result.Output, StringComparison.Ordinal);
        var after = await CountersAsync(site);

        double records = after.Records - before.Records;
        double calls = after.Calls - before.Calls;
        double sends = after.Sends - before.Sends;
        output.WriteLine($"{records} records in {calls} engine calls and {sends} sends");

        // Each object is 62 records, and its request and the handshake some more.
        Assert.InRange(records, 640 * 62, 640 * 62 * 1.5);
        Assert.InRange(calls, 1, records / 3);
        Assert.InRange(sends, 1, records / 3);
    }

    private static async Task<(long Records, long Calls, long Sends)> CountersAsync(Cluster site)
        => (await site.CounterAsync("cssl_engine_records"), await site.CounterAsync("cssl_engine_calls"), await site.CounterAsync("cssl_link_sends"));
}
