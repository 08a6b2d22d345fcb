using System.Diagnostics;
using System.Net;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A cluster with small limits, so that a test sees them at work in seconds.</summary>
public sealed class SmallLimits() : ClusterSite(new ClusterSettings
{
    DataSilos = 1,
    Environment = new Dictionary<string, string>
    {
        ["CSSL_Limits__FirstByteTime"] = $"{FirstByteTime.TotalSeconds}s",
        ["CSSL_Limits__HandshakeTime"] = $"{HandshakeTime.TotalSeconds}s",
        ["CSSL_Limits__HandshakeBytes"] = "20000",
    },
})
{
    public static readonly TimeSpan FirstByteTime = TimeSpan.FromSeconds(4);
    public static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(6);
}

/// <summary>Everything that a client controls has a limit.</summary>
[Collection(OwnCluster.Name)]
public sealed class LimitTests(SmallLimits limits, ITestOutputHelper output) : ClusterTest(limits.Cluster, output), IClassFixture<SmallLimits>
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public async Task Ten_thousand_silent_connections_cost_little_and_end()
    {
        const int Count = 10_000, Sources = 10, AtOnce = 100;
        const long MaxBytesPerConnection = 16 * 1024;
        await AssertServedAsync();
        int gateway = (await Cluster.StatusAsync()).Single(process => process.Kind == "gateway").ProcessId;
        await using var memory = new MemoryWatch([gateway]);
        var clients = new RawClient[Count];
        try
        {
            await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
                clients[i] = await RawClient.ConnectAsync(Cluster.Port, new IPAddress([127, 0, 1, (byte)(1 + (i % Sources))])));

            await AssertServedAsync();
            RawEnd[] ends = await Task.WhenAll(clients.Select(client => client.ReadToEndAsync()));

            Assert.All(ends, end => Assert.Empty(end.Received));
            long growth = (await memory.PeakGrowthAsync())[gateway];
            _output.WriteLine($"the gateway grew by {growth / Count} bytes per connection");
            Assert.InRange(growth, long.MinValue, Count * MaxBytesPerConnection);
        }
        finally
        {
            foreach (RawClient? client in clients)
                client?.Dispose();
        }
    }

    [Fact]
    public async Task Client_that_sends_nothing_is_closed_after_the_first_byte_time()
    {
        long start = Stopwatch.GetTimestamp();
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.ReadToEndAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(start), SmallLimits.FirstByteTime - TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Client_that_stops_in_its_hello_is_closed_after_the_handshake_time()
    {
        byte[] hello = await RecordedHandshake.ClientHelloAsync(Cluster);
        long start = Stopwatch.GetTimestamp();
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(hello.AsMemory(0, hello.Length - 1));

        await client.ReadToEndAsync();

        Assert.InRange(Stopwatch.GetElapsedTime(start), SmallLimits.HandshakeTime - TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Client_that_does_not_finish_its_handshake_is_closed_after_the_handshake_time()
    {
        byte[] hello = await RecordedHandshake.ClientHelloAsync(Cluster);
        long start = Stopwatch.GetTimestamp();
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(hello);

        RawEnd end = await client.ReadToEndAsync();

        Assert.Equal(22, end.Received[0]); // the ServerHello came, so a handshake silo held state for it
        Assert.InRange(Stopwatch.GetElapsedTime(start), SmallLimits.HandshakeTime - TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Handshake_that_is_longer_than_the_limit_is_refused_at_once()
    {
        // A hello of 30,000 bytes, in two records.
        byte[] record = new byte[5 + 15_000];
        new byte[] { 22, 3, 1, 15_000 >> 8, 15_000 & 0xff, 1, 0, 30_000 >> 8, 30_000 & 0xff, 3, 3 }.CopyTo(record, 0);
        using RawClient client = await RawClient.ConnectAsync(Cluster.Port);
        await client.SendAsync(record);
        RawEnd end = await client.ReadToEndAsync(SmallLimits.HandshakeTime / 2);
        Assert.NotNull(end.Alert);
    }
}
