using System.Security.Cryptography;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>What is not TLS, or breaks its rules, gets the right alert or a close; everybody else is served meanwhile.</summary>
[Collection(SharedCluster.Name)]
public sealed class BadInputTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private const int UnexpectedMessage = 10, RecordOverflow = 22, DecodeError = 50, ProtocolVersion = 70;

    [Fact]
    public async Task Plain_HTTP_is_closed()
    {
        RawEnd end = await SendAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        Assert.DoesNotContain("200 OK", System.Text.Encoding.Latin1.GetString(end.Received), StringComparison.Ordinal);
        await AssertServedAsync();
    }

    [Fact]
    public async Task SSLv2_hello_is_closed()
    {
        // RFC 6101 appendix E.1: length with the high bit set, CLIENT-HELLO, version 3.1, one cipher spec, no session, challenge.
        byte[] hello = [0x80, 0x1c, 0x01, 0x03, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x2f, .. RandomNumberGenerator.GetBytes(16)];
        RawEnd end = await SendAsync(hello);
        Assert.True(end.Received.Length == 0 || end.Alert is not null, Convert.ToHexString(end.Received));
        await AssertServedAsync();
    }

    [Fact]
    public async Task Oversized_record_gets_record_overflow()
    {
        RawEnd end = await SendAsync([22, 3, 1, 0xff, 0xff, 1, 0, 0, 0]);
        Assert.Equal(RecordOverflow, end.Alert);
        await AssertServedAsync();
    }

    [Fact]
    public async Task Record_of_another_major_version_gets_protocol_version()
    {
        RawEnd end = await SendAsync([22, 9, 9, 0, 4, 1, 0, 0, 0]);
        Assert.True(end.Alert is ProtocolVersion || end.Received.Length == 0, Convert.ToHexString(end.Received));
        await AssertServedAsync();
    }

    [Fact]
    public async Task Hello_longer_than_the_limit_is_refused()
    {
        // A hello that claims 16 MiB: refused by its length, before its bytes have come.
        RawEnd end = await SendAsync([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]);
        Assert.True(end.Alert is DecodeError or RecordOverflow, Convert.ToHexString(end.Received));
        await AssertServedAsync();
    }

    [Fact]
    public async Task Application_data_before_a_hello_gets_unexpected_message()
    {
        RawEnd end = await SendAsync([23, 3, 3, 0, 4, 1, 2, 3, 4]);
        Assert.True(end.Alert is UnexpectedMessage || end.Received.Length == 0, Convert.ToHexString(end.Received));
        await AssertServedAsync();
    }

    [Fact]
    public async Task Truncated_hello_is_closed_when_the_client_is()
    {
        byte[] hello = await RecordedHandshake.ClientHelloAsync(Cluster);
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(hello.AsMemory(0, hello.Length / 2));
        client.FinishSending();

        RawEnd end = await client.ReadToEndAsync();

        Assert.True(end.Received.Length == 0 || end.Alert is not null, Convert.ToHexString(end.Received));
        await AssertServedAsync();
    }

    [Fact]
    public async Task Random_bytes_are_closed_and_a_good_client_is_served_meanwhile()
    {
        Task[] noise = [.. Enumerable.Range(0, 200).Select(async i =>
        {
            using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
            await client.SendAsync(RandomNumberGenerator.GetBytes(1 + (i * 37)));
            client.FinishSending();
            await client.ReadToEndAsync();
        })];

        await AssertServedAsync();
        await Task.WhenAll(noise);
    }

    [Fact]
    public async Task Refused_client_is_named_in_the_log_with_the_reason()
    {
        int mark = Cluster.Log.Length;

        // The log is limited by rate: after a flood of refusals it counts for a while, and names again then.
        await Eventually.TrueAsync(
            async () =>
            {
                using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
                await client.SendAsync(new byte[] { 22, 3, 1, 0xff, 0xff, 1, 0, 0, 0 });
                await client.ReadToEndAsync();
                return Cluster.Log.Text(mark).Split('\n').Any(line => line.StartsWith("gateway", StringComparison.Ordinal)
                    && line.Contains($"{client.LocalEndPoint}", StringComparison.Ordinal) && line.Contains("RecordOverflow", StringComparison.Ordinal));
            },
            "a line with the client's address and the reason");
    }

    private async Task<RawEnd> SendAsync(byte[] bytes)
    {
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(bytes);
        return await client.ReadToEndAsync();
    }
}
