using System.Text.Json;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>curl, gnutls-cli, Node.js, Java and h2load as their users run them.</summary>
[Collection(SharedCluster.Name)]
public sealed class RealClientTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private const int Size = 300_000;
    private static readonly string Expected = OriginContent.Sha256(Size);

    [Theory]
    [InlineData("--tlsv1.3", "--http1.1", "RSA", "TLSv1.3", "1.1")]
    [InlineData("--tlsv1.3", "--http1.1", "ECDSA", "TLSv1.3", "1.1")]
    [InlineData("--tlsv1.3", "--http2", "RSA", "TLSv1.3", "2")]
    [InlineData("--tlsv1.3", "--http2", "ECDSA", "TLSv1.3", "2")]
    [InlineData("--tls-max 1.2", "--http1.1", "RSA", "TLSv1.2", "1.1")]
    [InlineData("--tls-max 1.2", "--http1.1", "ECDSA", "TLSv1.2", "1.1")]
    [InlineData("--tls-max 1.2", "--http2", "RSA", "TLSv1.2", "2")]
    [InlineData("--tls-max 1.2", "--http2", "ECDSA", "TLSv1.2", "2")]
    public async Task Curl_downloads_over_each_version_and_key_type(string tls, string http, string keyType, string expectedTls, string expectedHttp)
    {
        using var folder = new TempDirectory();
        string sigalgs = keyType == "RSA" ? "rsa_pss_rsae_sha256:rsa_pkcs1_sha256" : "ecdsa_secp256r1_sha256";
        await File.WriteAllTextAsync(folder.File("openssl.cnf"), $"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nSignatureAlgorithms = {sigalgs}\n");
        await using Tool curl = Tool.Start(
            "curl",
            [.. tls.Split(' '), http, "-sSv", "--cacert", Cluster.CertificateAuthority, Url($"/bytes/{Size}"), "-o", folder.File("body"), "-w", "%{http_version} %{http_code}"],
            environment: new Dictionary<string, string> { ["OPENSSL_CONF"] = folder.File("openssl.cnf") });

        ToolResult result = (await curl.ExitAsync()).Succeeded();

        Assert.Equal($"{expectedHttp} 200", result.Output);
        Assert.Contains($"SSL connection using {expectedTls}", result.Error, StringComparison.Ordinal);
        Assert.Equal(Expected, OriginContent.Sha256(await File.ReadAllBytesAsync(folder.File("body"))));
    }

    [Fact]
    public async Task Home_page_says_which_silo_and_which_TLS_served_it()
    {
        ToolResult result = (await Curl("--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES256-SHA384", Url("/"))).Succeeded();

        Assert.Contains("data-", result.Output, StringComparison.Ordinal);
        Assert.Contains("1.2", result.Output, StringComparison.Ordinal);
        Assert.Contains("AES256", result.Output.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Curl_posts_and_gets_the_same_back()
    {
        ToolResult result = (await Curl("--data-binary", "Grüße an den Ursprung", Url("/echo"))).Succeeded();

        Assert.Equal("Grüße an den Ursprung"u8.ToArray(), System.Text.Encoding.Latin1.GetBytes(result.Output));
    }

    [Fact]
    public async Task Curl_fetches_a_range()
    {
        ToolResult whole = (await Curl(Url("/bytes/5000"))).Succeeded();
        ToolResult part = (await Curl("-r", "1000-1999", "-w", "%{http_code}", Url("/bytes/5000"))).Succeeded();

        Assert.Equal(whole.Output[1000..2000] + "206", part.Output);
    }

    [Theory]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLS1.3")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305", "CHACHA20-POLY1305")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS1.2")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA384", "EtM")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+AES-256-CBC:-MAC-ALL:+SHA384:%NO_ETM", "(SHA384)")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256", "EtM")]
    [InlineData("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256:%NO_ETM", "(SHA256)")]
    public async Task Gnutls_downloads_with_and_without_encrypt_then_MAC(string priority, string negotiated)
    {
        using var folder = new TempDirectory();
        await using Tool gnutls = Tool.Start("gnutls-cli",
            ["--x509cafile", Cluster.CertificateAuthority, "--priority", priority, "--logfile", folder.File("log"), "-p", $"{Cluster.Port}", "localhost"]);
        await gnutls.TypeAsync(SClient.Get($"/bytes/{Size}")); // its input stays open: at the end of it gnutls-cli would hang up

        ToolResult result = (await gnutls.ExitAsync()).Succeeded();

        string log = await File.ReadAllTextAsync(folder.File("log"));
        Assert.Contains(negotiated, log, StringComparison.Ordinal);
        Assert.Equal(!priority.EndsWith("%NO_ETM", StringComparison.Ordinal) && negotiated == "EtM", log.Contains("EtM", StringComparison.Ordinal));
        Assert.Equal(Expected, HttpText.Parse(result.Output).Sha256);
    }

    [Fact]
    public async Task Node_https_reuses_one_connection()
    {
        JsonElement[] answers = await NodeAsync("https.mjs", Url($"/bytes/{Size}"), Cluster.CertificateAuthority, "3");

        Assert.Equal(3, answers.Length);
        Assert.All(answers, answer => Assert.Equal((200, Expected), (answer.GetProperty("status").GetInt32(), answer.GetProperty("sha256").GetString())));
        Assert.Single(answers.Select(answer => answer.GetProperty("port").GetInt32()).Distinct());
    }

    [Fact]
    public async Task Node_http2_runs_twenty_streams_on_one_connection()
    {
        JsonElement[] answers = await NodeAsync("http2.mjs", Url(""), Cluster.CertificateAuthority, $"/bytes/{Size}", "20");

        Assert.Equal(20, answers.Length);
        Assert.All(answers, answer => Assert.Equal(
            (200, "h2", Expected),
            (answer.GetProperty("status").GetInt32(), answer.GetProperty("protocol").GetString(), answer.GetProperty("sha256").GetString())));
    }

    [Fact]
    public async Task Java_HttpClient_downloads_over_both_HTTP_and_both_TLS_versions()
    {
        ToolResult result = (await Tool.RunAsync("java", [Repository.ClientScript("HttpsClient.java"), Url($"/bytes/{Size}"), Cluster.CertificateAuthority])).Succeeded();

        Assert.Equal(
            [$"HTTP_1_1 TLSv1.2 200 {Expected}", $"HTTP_1_1 TLSv1.3 200 {Expected}", $"HTTP_2 TLSv1.2 200 {Expected}", $"HTTP_2 TLSv1.3 200 {Expected}"],
            result.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Java_past_its_key_limit_gets_the_whole_file()
    {
        const int Large = 40_000_000;
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("limits"), "jdk.tls.keyLimits=AES/GCM/NoPadding KeyUpdate 2^22\n");

        ToolResult result = (await Tool.RunAsync(
            "java",
            [$"-Djava.security.properties={folder.File("limits")}", Repository.ClientScript("HttpsClient.java"), Url($"/bytes/{Large}"), Cluster.CertificateAuthority],
            deadline: TimeSpan.FromMinutes(3))).Succeeded();

        string hash = OriginContent.Sha256(Large);
        Assert.Equal(
            [$"HTTP_1_1 TLSv1.2 200 {hash}", $"HTTP_1_1 TLSv1.3 200 {hash}", $"HTTP_2 TLSv1.2 200 {hash}", $"HTTP_2 TLSv1.3 200 {hash}"],
            result.Output.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("-c10", "-m10")]
    [InlineData("-c20", "--h1")]
    public async Task H2load_has_every_request_answered(string clients, string mode)
    {
        ToolResult result = (await Tool.RunAsync("h2load", ["-n2000", clients, mode, Url("/bytes/1024")])).Succeeded();

        Assert.Contains("2000 succeeded, 0 failed, 0 errored, 0 timeout", result.Output, StringComparison.Ordinal);
    }

    private Task<ToolResult> Curl(params string[] arguments) => Tool.RunAsync("curl", ["-sS", "--cacert", Cluster.CertificateAuthority, .. arguments]);

    private static async Task<JsonElement[]> NodeAsync(string script, params string[] arguments)
    {
        ToolResult result = (await Tool.RunAsync("node", [Repository.ClientScript(script), .. arguments])).Succeeded();
        using JsonDocument json = JsonDocument.Parse(result.Output);
        return [.. json.RootElement.Clone().EnumerateArray()];
    }
}
