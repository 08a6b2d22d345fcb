using System.Text.RegularExpressions;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>What was ordered is stored: it outlives the silo that has the cluster grain.</summary>
[Collection(OwnCluster.Name)]
public sealed partial class OrderTests
{
    private const int Stormers = 8;

    [Fact]
    public async Task Orders_hold_when_the_silo_with_the_cluster_grain_is_killed_in_a_storm()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { HandshakeSilos = 2, DataSilos = 4 });
        byte[] hello = await RecordedHandshake.ClientHelloAsync(cluster);
        using var over = new CancellationTokenSource();
        Task[] storm = [.. Enumerable.Range(0, Stormers).Select(_ => StormAsync(cluster, hello, over.Token))];

        string host = await HostAsync(cluster);
        string[] ordered = [.. new[] { "data-1", "data-2", "data-3" }.Where(silo => silo != host).Take(2)];
        (string drained, string moved) = (ordered[0], ordered[1]);

        // Requests that outlast the orders: neither is carried out yet when the grain goes.
        Task<ToolResult>[] busy = [.. Enumerable.Range(0, 12).Select(_ => cluster.CurlAsync("/slow?ms=4000"))];
        await Task.WhenAll(
            OperateAsync(cluster, "drain", drained),
            OperateAsync(cluster, "roles", moved, "handshake"));
        ProcFs.Signal((await cluster.ProcessAsync(host)).ProcessId, ProcFs.SigKill);

        await HeldAsync(cluster, drained, moved, host);
        await over.CancelAsync();
        await Task.WhenAll(storm);
        await Task.WhenAll(busy);

        // Also when nothing is under way any more, and for whoever asks the grain that there is now.
        await HeldAsync(cluster, drained, moved, host);
        Assert.Equal($"{drained} serves\n", (await OperateAsync(cluster, "drain", drained, "--off", "--wait")).Output);
        Assert.Equal(["Handshake"], (await cluster.ProcessAsync(moved)).Roles);
        (await cluster.CurlAsync("/")).Succeeded();
    }

    /// <summary>The silo with the grain says what it was told.</summary>
    private static async Task<string> HostAsync(Cluster cluster)
    {
        int from = cluster.Log.Length;
        await OperateAsync(cluster, "drain", "data-4");
        await cluster.Log.WaitForAsync("data-4 is to drain, by the Operator", from: from);
        string host = Said().Match(cluster.Log.Text(from)).Groups[1].Value;
        await OperateAsync(cluster, "drain", "data-4", "--off", "--wait");
        return host;
    }

    private static Task HeldAsync(Cluster cluster, string drained, string moved, string host) => Eventually.TrueAsync(
        async () =>
        {
            IReadOnlyList<ClusterProcess> processes = await cluster.StatusAsync();
            ClusterProcess Of(string name) => processes.Single(process => process.Name == name);
            return processes.Count(static process => process.Kind == "silo") == 6
                && Of(drained).State == "Drained"
                && Of(moved).Roles is ["Handshake"]
                && Of(host).State == "Active";
        },
        $"{drained} is drained, {moved} shakes hands, and {host} is back",
        TimeSpan.FromSeconds(90));

    private static async Task<ToolResult> OperateAsync(Cluster cluster, params string[] arguments)
        => (await Cssl.RunAsync([.. arguments, "--admin", $"{cluster.AdminPort}"])).Succeeded();

    /// <summary>Handshakes that are begun and not finished, one after the other.</summary>
    private static async Task StormAsync(Cluster cluster, byte[] hello, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            using RawClient client = await RawClient.ConnectAsync(cluster.Port);
            await client.SendAndFinishAsync(hello);
            await client.ReadToEndAsync();
        }
    }

    [GeneratedRegex(@"^(\S+) +\| .*data-4 is to drain, by the Operator", RegexOptions.Multiline)]
    private static partial Regex Said();
}
