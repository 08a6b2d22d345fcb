using CSsl.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace CSsl.EndToEnd.Tests;

/// <summary>The same handshake, cut and arranged as real networks and real stacks do it.</summary>
[Collection(SharedCluster.Name)]
public sealed class HandshakeShapeTests(Cluster cluster, ITestOutputHelper output) : ClusterTest(cluster, output)
{
    private const int Size = 100_000;
    private static readonly string Expected = OriginContent.Sha256(Size);

    [Theory]
    [InlineData("-tls1_3", 1)]
    [InlineData("-tls1_3", 16)]
    [InlineData("-tls1_2", 1)]
    [InlineData("-tls1_2", 16)]
    public async Task Hello_in_many_records_is_put_together(string version, int recordSize)
    {
        await using var relay = new RelayProxy(Cluster.Port, () => new SmallHandshakeRecords(recordSize));

        ToolResult result = await SClient.GetAsync(Cluster, relay.Port, $"/bytes/{Size}", "-brief", version);

        Assert.True(relay.Segments > 10, $"only {relay.Segments} pieces were sent");
        AssertServed(result);
    }

    [Theory]
    [InlineData("-tls1_3", 1)]
    [InlineData("-tls1_3", 7)]
    [InlineData("-tls1_2", 1)]
    public async Task Handshake_in_tiny_segments_is_put_together(string version, int segmentSize)
    {
        await using var relay = new RelayProxy(Cluster.Port, () => new TinySegments(segmentSize, firstBytes: 2000));

        ToolResult result = await SClient.GetAsync(Cluster, relay.Port, $"/bytes/{Size}", "-brief", version);

        Assert.True(relay.Segments > 300 / segmentSize, $"only {relay.Segments} pieces were sent");
        AssertServed(result);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task Hello_in_many_records_and_tiny_segments_is_put_together(int segmentSize)
    {
        await using var records = new RelayProxy(Cluster.Port, () => new TinySegments(segmentSize, firstBytes: 5000));
        await using var segments = new RelayProxy(records.Port, () => new SmallHandshakeRecords(20));

        AssertServed(await SClient.GetAsync(Cluster, segments.Port, $"/bytes/{Size}", "-brief"));
    }

    [Fact]
    public async Task Finished_and_request_in_one_segment_lose_nothing_in_TLS_1_3()
    {
        await using var relay = new RelayProxy(Cluster.Port, () => new FinishedWithRequest(applicationRecords: 2));

        AssertServed(await SClient.GetAsync(Cluster, relay.Port, $"/bytes/{Size}", "-brief", "-tls1_3"));
    }

    [Fact]
    public async Task Finished_and_request_in_one_segment_lose_nothing_when_TLS_1_2_is_resumed()
    {
        // In a full TLS 1.2 handshake the client waits for the server's Finished; in a resumed one its own comes last.
        using var folder = new TempDirectory();
        (await SClient.GetAsync(Cluster, "/", "-brief", "-tls1_2", "-sess_out", folder.File("session"))).Succeeded();
        await using var relay = new RelayProxy(Cluster.Port, () => new FinishedWithRequest(applicationRecords: 1));

        ToolResult result = await SClient.GetAsync(Cluster, relay.Port, $"/bytes/{Size}", "-tls1_2", "-sess_in", folder.File("session"));

        Assert.Contains("Reused, TLSv1.2", result.Output, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", HttpText.Parse(result.Output).Head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("P-521:P-384")]
    [InlineData("X448:X25519")]
    public async Task HelloRetryRequest_is_answered_by_a_second_hello(string groups)
    {
        ToolResult trace = await SClient.GetAsync(Cluster, "/", "-tls1_3", "-msg", "-groups", groups);
        ToolResult result = await SClient.GetAsync(Cluster, $"/bytes/{Size}", "-brief", "-tls1_3", "-groups", groups);

        Assert.Equal(2, trace.Output.Split("Handshake [length").Count(part => part.Contains(", ClientHello", StringComparison.Ordinal)));
        AssertServed(result);
    }

    [Theory]
    [InlineData("-tls1_3", 512)]
    [InlineData("-tls1_3", 4096)]
    [InlineData("-tls1_2", 512)]
    [InlineData("-tls1_2", 1024)]
    public async Task Max_fragment_length_is_honoured(string version, int length)
    {
        // s_client aborts with record overflow when a record is longer than it asked for.
        AssertServed(await SClient.GetAsync(Cluster, $"/bytes/{Size}", "-brief", version, "-maxfraglen", $"{length}"));
    }

    [Fact]
    public async Task Client_without_server_name_gets_the_default_certificate()
    {
        AssertServed(await Tool.RunAsync("openssl",
            ["s_client", "-connect", Cluster.Endpoint, "-noservername", "-CAfile", Cluster.CertificateAuthority, "-verify_return_error", "-brief", "-ign_eof"],
            SClient.Get($"/bytes/{Size}")));
    }

    private static void AssertServed(ToolResult result)
    {
        HttpText response = HttpText.Parse(result.Succeeded().Output);
        Assert.Equal((200, Expected), (response.Status, response.Sha256));
    }
}
