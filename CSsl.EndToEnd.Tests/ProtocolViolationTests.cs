using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Rules that a client breaks after the handshake: the alert that the RFC names, and the end.</summary>
[Collection(SharedCluster.Name)]
public sealed class ProtocolViolationTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private const int UnexpectedMessage = 10, BadRecordMac = 20, RecordOverflow = 22;

    [Theory]
    [InlineData("-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", 1)]
    [InlineData("-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", 2)]
    [InlineData("-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", 2)]
    [InlineData("-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", 1)]
    [InlineData("-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305", 1)]
    [InlineData("-tls1_2 -cipher ECDHE-RSA-AES256-SHA384", 1)]
    public async Task Damaged_record_gets_bad_record_mac(string suite, int applicationRecord)
    {
        await using var relay = new RelayProxy(Cluster.Port, () => new DamagedRecord(applicationRecord));
        await AssertAlertAsync(relay, suite.Split(' '), BadRecordMac);
    }

    [Theory]
    [InlineData("-tls1_3", 2, "1703034101", RecordOverflow)] // 2^14 + 256 + 1
    [InlineData("-tls1_2", 1, "1703034801", RecordOverflow)] // 2^14 + 2048 + 1
    [InlineData("-tls1_3", 2, "140303000101", UnexpectedMessage)] // a ChangeCipherSpec after the handshake
    [InlineData("-tls1_2", 1, "140303000101", UnexpectedMessage)]
    [InlineData("-tls1_3", 2, "16030300050100000100", UnexpectedMessage)] // a plaintext ClientHello
    [InlineData("-tls1_3", 2, "6303030001ff", UnexpectedMessage)] // no content type of TLS
    public async Task Forbidden_record_gets_its_alert(string version, int afterApplicationRecord, string bytes, int alert)
    {
        await using var relay = new RelayProxy(Cluster.Port, () => new InjectedBytes(afterApplicationRecord, Convert.FromHexString(bytes)));
        await AssertAlertAsync(relay, [version], alert);
    }

    private async Task AssertAlertAsync(RelayProxy relay, string[] client, int alert)
    {
        // The response would take a while: what ends the connection is the alert.
        ToolResult result = await SClient.GetAsync(Cluster, relay.Port, "/slow?ms=20000", ["-brief", .. client]);

        Assert.True(result.Error.Contains($"SSL alert number {alert}\n", StringComparison.Ordinal), result.ToString());
        (await SClient.GetAsync(Cluster, "/", "-brief")).Succeeded();
    }
}
