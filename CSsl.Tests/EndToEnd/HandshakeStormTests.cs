using System.Globalization;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using CSsl.Tests.EndToEnd.Survival;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.EndToEnd;

/// <summary>More handshakes than a real cluster can do: one has the only place there is, and does not go on.</summary>
[Collection(OwnCluster.Name)]
public sealed class HandshakeStormTests
{
    private const int Queue = 20, TooMany = 5, InternalError = 80;

    [Fact]
    public async Task Established_clients_are_served_new_ones_wait_or_are_refused_and_a_data_silo_comes_to_help()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings
        {
            Arguments =
            [
                "--Silo:RoleMode=Auto", "--Limits:ConcurrentHandshakes=1", $"--Limits:HandshakeQueue={Queue.ToString(CultureInfo.InvariantCulture)}",
                "--Limits:HandshakeQueueTime=120s", "--Limits:HandshakeTime=120s",
            ],
        });
        using var status = new StatusClient($"127.0.0.1:{cluster.AdminPort}");
        byte[] hello = await RecordedHandshake.ClientHelloAsync(cluster);
        using var established = new KeepAliveClient(cluster);
        await established.Http.GetByteArrayAsync("/");
        await Eventually.TrueAsync(async () => (await GatewayAsync(status)).Handshakes == 0, "no handshake is under way");

        var clients = new List<RawClient>();
        try
        {
            await ComeAsync(1);
            await Eventually.TrueAsync(async () => await GatewayAsync(status) is { Handshakes: 1, HandshakeQueue: 0 }, "the only place is taken");
            await ComeAsync(Queue);
            await Eventually.TrueAsync(async () => await GatewayAsync(status) is { Handshakes: 1, HandshakeQueue: Queue }, "the queue is full");
            Task<RawEnd>[] ends = [.. clients.Skip(1).Select(static client => client.ReadToEndAsync())];

            // Who came first is driven out: by an alert, at once.
            await ComeAsync(TooMany);
            await Eventually.TrueAsync(() => ends.Count(static end => end.IsCompleted) == TooMany, "the oldest are refused");
            foreach (Task<RawEnd> end in ends.Where(static end => end.IsCompleted))
                Assert.Equal(InternalError, (await end).Alert);

            await Eventually.TrueAsync(async () => await HelpersAsync() == 1, "a data silo has become a handshake silo");
            RoleDecision(Assert.Single((await status.GetAsync(CancellationToken.None)).Decisions));
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

    private static void RoleDecision(DecisionStatus decision)
    {
        Assert.Equal(nameof(OrderedBy.Planner), decision.By);
        Assert.Equal([nameof(SiloRoles.Handshake)], decision.To);
        Assert.StartsWith("1 handshake silo at ", decision.Reason, StringComparison.Ordinal);
    }

    private static async Task<ProcessStatus> GatewayAsync(StatusClient status)
        => (await status.GetAsync(CancellationToken.None)).Processes.Single(static process => process.Kind == "gateway");
}
