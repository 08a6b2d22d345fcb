using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A role that no silo has any more.</summary>
[Collection(WaitingForUp.Name)]
public sealed class NoSiloTests
{
    private const int TlsFailed = 35, ReceiveFailed = 56;

    [Fact]
    public async Task New_client_is_refused_in_a_way_that_it_and_the_operator_can_tell()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { DataSilos = 1, Arguments = ["--no-restart", "--Limits:TakeoverTime=1s"] });

        // cssl up asks too while it starts, perhaps before a silo is there.
        long withoutDataBefore = await RefusedAsync(cluster, "no_data_silo"), withoutHandshakeBefore = await RefusedAsync(cluster, "no_handshake_silo");
        await KillAsync(cluster, "data-1");
        ToolResult withoutData = await cluster.CurlAsync("/", "--max-time", "10");
        Assert.Equal(ReceiveFailed, withoutData.ExitCode);
        Assert.Contains("reset", withoutData.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(withoutDataBefore + 1, await RefusedAsync(cluster, "no_data_silo"));

        await KillAsync(cluster, "handshake-1");
        ToolResult withoutHandshake = await cluster.CurlAsync("/", "--max-time", "10");
        Assert.Equal(TlsFailed, withoutHandshake.ExitCode);
        Assert.Contains("internal error", withoutHandshake.Error, StringComparison.Ordinal);
        Assert.Equal(withoutHandshakeBefore + 1, await RefusedAsync(cluster, "no_handshake_silo"));
    }

    private static Task<long> RefusedAsync(Cluster cluster, string reason) => cluster.CounterAsync($$"""cssl_gateway_refusals_total{reason="{{reason}}"}""", orZero: true);

    private static async Task KillAsync(Cluster cluster, string silo)
    {
        int pid = (await cluster.ProcessAsync(silo)).ProcessId;
        ProcFs.Signal(pid, ProcFs.SigKill);
        await Eventually.TrueAsync(() => !ProcFs.IsAlive(pid), $"{silo} is dead");
    }
}
