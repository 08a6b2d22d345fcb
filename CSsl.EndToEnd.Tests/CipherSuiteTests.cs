using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Every suite that C-SSL negotiates carries a real response; those that it must never negotiate are refused.</summary>
[Collection(SharedCluster.Name)]
public sealed class CipherSuiteTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private const int Size = 100_000;
    private static readonly string Expected = OriginContent.Sha256(Size);

    [Theory]
    [InlineData("TLS_AES_128_GCM_SHA256")]
    [InlineData("TLS_AES_256_GCM_SHA384")]
    [InlineData("TLS_CHACHA20_POLY1305_SHA256")]
    public async Task Suites_of_TLS_1_3_carry_a_response(string suite)
    {
        ToolResult result = await SClient.GetAsync(Cluster, $"/bytes/{Size}", "-brief", "-tls1_3", "-ciphersuites", suite);
        AssertServed(result, suite);
    }

    [Theory]
    [InlineData("ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-RSA-AES256-GCM-SHA384")]
    [InlineData("ECDHE-RSA-CHACHA20-POLY1305")]
    [InlineData("ECDHE-RSA-AES128-SHA256")]
    [InlineData("ECDHE-RSA-AES256-SHA384")]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-ECDSA-AES256-GCM-SHA384")]
    [InlineData("ECDHE-ECDSA-CHACHA20-POLY1305")]
    [InlineData("ECDHE-ECDSA-AES128-SHA256")]
    [InlineData("ECDHE-ECDSA-AES256-SHA384")]
    public async Task Suites_of_TLS_1_2_carry_a_response(string suite)
    {
        ToolResult result = await SClient.GetAsync(Cluster, $"/bytes/{Size}", "-brief", "-tls1_2", "-cipher", suite);
        AssertServed(result, suite);
    }

    [Theory]
    [InlineData("AES128-SHA")]
    [InlineData("AES256-GCM-SHA384")]
    [InlineData("ECDHE-RSA-AES128-SHA")]
    [InlineData("DHE-RSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-RSA-NULL-SHA")]
    [InlineData("AECDH-AES128-SHA")]
    public async Task Other_suites_are_refused_with_handshake_failure(string suite)
    {
        ToolResult result = await SClient.GetAsync(Cluster, "/", "-brief", "-tls1_2", "-cipher", $"{suite}:@SECLEVEL=0");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("alert handshake failure", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    public async Task Old_versions_are_refused_with_protocol_version(string version)
    {
        ToolResult result = await SClient.GetAsync(Cluster, "/", "-brief", version, "-cipher", "ALL:@SECLEVEL=0");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("alert protocol version", result.Error, StringComparison.Ordinal);
    }

    private static void AssertServed(ToolResult result, string suite)
    {
        Assert.Contains($"Ciphersuite: {suite}", result.Succeeded().Error, StringComparison.Ordinal);
        Assert.Contains("Verification: OK", result.Error, StringComparison.Ordinal);
        Assert.Equal(Expected, HttpText.Parse(result.Output).Sha256);
    }
}
