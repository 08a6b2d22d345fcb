using System.Net.Sockets;
using System.Text;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tests.Tls.Handshake.OpenSsl;
using CSsl.Tls;
using Xunit;

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

    [Theory]
    [InlineData(1)]
    [InlineData(1 << 14)]
    public async Task Longest_hello_there_is_gets_an_answer(int recordLength)
    {
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(HelloBuilder.Records(HelloBuilder.Longest(), recordLength));
        client.FinishSending();

        RawEnd end = await client.ReadToEndAsync();

        Assert.Equal((22, 2), (end.Received[0], end.Received[5])); // ServerHello
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, 1)]
    [InlineData(TlsVersion.Tls12, 1)]
    [InlineData(TlsVersion.Tls12, 1 << 14)]
    public async Task Hello_above_64_KiB_leads_to_a_session(TlsVersion version, int recordLength)
    {
        // 255 protocols of which the server wants the last.
        string[] protocols = [.. Enumerable.Repeat(new string('x', 255), 254), new string('y', 250), "http/1.1"];

        await AssertServedAsync(new ClientSettings { Version = (ushort)version, CipherList = "ALL", ApplicationProtocols = protocols }, recordLength, minHello: 64 * 1024);
    }

    [Theory]
    [InlineData(CipherSuite.Aes256GcmSha384, true, 1)]
    [InlineData(CipherSuite.EcdheRsaAes256GcmSha384, true, 1)]
    [InlineData(CipherSuite.EcdheRsaAes256GcmSha384, true, 15)]
    [InlineData(CipherSuite.EcdheEcdsaChaCha20Poly1305, true, 5)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256, true, 3)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256, false, 3)]
    public async Task Finished_in_many_records_is_put_together(CipherSuite suite, bool encryptThenMac, int recordLength)
        => await AssertServedAsync(new ClientSettings { Suite = suite, Version = (ushort)CipherSuiteInfo.Get(suite).Version, EncryptThenMac = encryptThenMac }, recordLength);

    [Fact]
    public async Task Client_without_server_name_gets_the_default_certificate()
    {
        AssertServed(await Tool.RunAsync("openssl",
            ["s_client", "-connect", Cluster.Endpoint, "-noservername", "-CAfile", Cluster.CertificateAuthority, "-verify_return_error", "-brief", "-ign_eof"],
            SClient.Get($"/bytes/{Size}")));
    }

    private async Task AssertServedAsync(ClientSettings settings, int recordLength, int minHello = 0)
    {
        using var client = new ShreddedClient(settings, Cluster.CertificateAuthority, () => recordLength);
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync("127.0.0.1", Cluster.Port);
        NetworkStream stream = tcp.GetStream();
        byte[] buffer = new byte[32 * 1024];
        byte[] hello = client.Handshake([]);
        Assert.InRange(hello.Length, minHello, int.MaxValue);
        await stream.WriteAsync(hello);
        while (!client.IsConnected)
        {
            int read = await stream.ReadAsync(buffer);
            Assert.True(read > 0, "the server closed during the handshake");
            await stream.WriteAsync(client.Handshake(buffer.AsSpan(0, read)));
        }

        await stream.WriteAsync(client.Write(Encoding.ASCII.GetBytes(SClient.Get($"/bytes/{Size}"))));
        List<byte> response = [.. client.Read([])];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            response.AddRange(client.Read(buffer.AsSpan(0, read)));
        HttpText text = HttpText.Parse(Encoding.Latin1.GetString([.. response]));
        Assert.Equal((200, Expected), (text.Status, text.Sha256));
    }

    private static void AssertServed(ToolResult result)
    {
        HttpText response = HttpText.Parse(result.Succeeded().Output);
        Assert.Equal((200, Expected), (response.Status, response.Sha256));
    }
}
