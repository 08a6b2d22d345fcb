using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CSsl.Cli.Status;
using CSsl.EndToEnd.Tests.Survival;
using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A cluster that does one handshake at a time, and takes so many connections from a source.</summary>
public sealed class SmallHandshakeLimits() : ClusterSite(new ClusterSettings
{
    Environment = new Dictionary<string, string>
    {
        ["CSSL_Silo__RoleMode"] = nameof(RoleMode.Auto),
        ["CSSL_Limits__ConcurrentHandshakes"] = "1",
        ["CSSL_Limits__HandshakeQueue"] = $"{Queue}",
        ["CSSL_Limits__HandshakeQueueTime"] = "120s",
        ["CSSL_Limits__HandshakeTime"] = "120s",
        ["CSSL_Limits__SourceHandshakeRate"] = "1",
        ["CSSL_Limits__SourceHandshakeBurst"] = $"{Burst}",
    },
})
{
    public const int Queue = 20, Burst = 50;
}

/// <summary>More clients than a real cluster takes; those that it has notice nothing.</summary>
[Collection(OwnCluster.Name)]
public sealed class HandshakeStormTests(SmallHandshakeLimits limits) : IClassFixture<SmallHandshakeLimits>
{
    private const int TooMany = 5, InternalError = 80, Silos = 3;

    /// <summary>One client has the only place there is, and does not go on.</summary>
    [Fact]
    public async Task Established_clients_are_served_new_ones_wait_or_are_refused_and_a_data_silo_comes_to_help()
    {
        Cluster cluster = limits.Cluster;
        using var status = new StatusClient($"127.0.0.1:{cluster.AdminPort}");
        byte[] hello = await RecordedHandshake.ClientHelloAsync(cluster);
        using var established = new KeepAliveClient(cluster);
        await established.Http.GetByteArrayAsync("/");
        await Eventually.TrueAsync(async () => (await GatewayAsync(status)).Handshakes == 0, "no handshake is under way");

        // One data silo alone would keep its role beside the new one.
        await Eventually.TrueAsync(async () => (await status.GetAsync(CancellationToken.None)).Processes.Count(static process => process is { Kind: "silo", State: nameof(SiloState.Active) }) == Silos, "all silos are active");

        var clients = new List<RawClient>();
        try
        {
            await ComeAsync(1);
            await Eventually.TrueAsync(async () => await GatewayAsync(status) is { Handshakes: 1, HandshakeQueue: 0 }, "the only place is taken");
            await ComeAsync(SmallHandshakeLimits.Queue);
            await Eventually.TrueAsync(async () => await GatewayAsync(status) is { Handshakes: 1, HandshakeQueue: SmallHandshakeLimits.Queue }, "the queue is full");
            Task<RawEnd>[] ends = [.. clients.Skip(1).Select(static client => client.ReadToEndAsync())];

            // Who came first is driven out: by an alert, at once.
            await ComeAsync(TooMany);
            await Eventually.TrueAsync(() => ends.Count(static end => end.IsCompleted) == TooMany, "the oldest are refused");
            foreach (Task<RawEnd> end in ends.Where(static end => end.IsCompleted))
                Assert.Equal(InternalError, (await end).Alert);

            await Eventually.TrueAsync(async () => await HelpersAsync() == 1, "a data silo has become a handshake silo");
            RoleDecision((await status.GetAsync(CancellationToken.None)).Decisions.Last(static decision => decision.To.Contains(nameof(SiloRoles.Handshake))));
            await established.Http.GetByteArrayAsync("/");
            Assert.Equal(1, established.Connections);
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }

        async Task ComeAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                RawClient client = await RawClient.ConnectAsync(cluster.Port);
                clients.Add(client);
                await client.SendAsync(hello);
            }
        }

        async Task<int> HelpersAsync() => (await status.GetAsync(CancellationToken.None)).Processes
            .Count(static process => process.Name.StartsWith("data-", StringComparison.Ordinal) && process.Roles.Contains(nameof(SiloRoles.Handshake)));
    }

    [Fact]
    public async Task Source_that_is_too_fast_is_reset_and_others_are_served()
    {
        var source = new IPAddress([127, 0, 0, 2]);
        long start = Stopwatch.GetTimestamp();
        var clients = new List<RawClient>();
        int resetAtOnce = 0;
        try
        {
            for (int i = 0; i < 2 * SmallHandshakeLimits.Burst; i++)
            {
                try
                {
                    clients.Add(await RawClient.ConnectAsync(limits.Cluster.Port, source));
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
                {
                    // The gateway was faster than the client's own kernel.
                    resetAtOnce++;
                }
            }

            Task<RawEnd>[] ends = [.. clients.Select(static client => client.ReadToEndAsync())];

            // One more is let in for every second that it took.
            int let = SmallHandshakeLimits.Burst + 1 + (int)Stopwatch.GetElapsedTime(start).TotalSeconds;
            await Eventually.TrueAsync(() => resetAtOnce + ends.Count(static end => end.IsCompleted) >= (2 * SmallHandshakeLimits.Burst) - let, "what is too much is refused");
            foreach (Task<RawEnd> end in ends.Where(static end => end.IsCompleted))
                Assert.Equal((true, 0), ((await end).WasReset, (await end).Received.Length));
            Assert.InRange(ends.Count(static end => !end.IsCompleted), SmallHandshakeLimits.Burst, let);

            using var other = new KeepAliveClient(limits.Cluster);
            await other.Http.GetByteArrayAsync("/");
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    private static void RoleDecision(DecisionStatus decision)
    {
        Assert.Equal(nameof(OrderedBy.Planner), decision.By);
        Assert.Equal([nameof(SiloRoles.Handshake)], decision.To);
        Assert.StartsWith("1 handshake silo at ", decision.Reason, StringComparison.Ordinal);
    }

    private static async Task<ProcessStatus> GatewayAsync(StatusClient status)
        => (await status.GetAsync(CancellationToken.None)).Processes.Single(static process => process.Kind == "gateway");
}
