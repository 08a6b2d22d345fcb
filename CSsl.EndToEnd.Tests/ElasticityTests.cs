using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A real cluster that is drained, changes roles, grows and shrinks under load.</summary>
[Collection(OwnCluster.Name)]
public sealed class ElasticityTests
{
    private const int Failed = 1, BadArgument = 2;

    [Fact]
    public async Task Silos_drain_change_roles_come_and_go_and_no_request_is_lost()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { DataSilos = 1 });
        using var over = new CancellationTokenSource();
        Task<int> load = LoadAsync(cluster, over.Token);

        // Another data silo, so that the first one may go.
        Assert.StartsWith("data-2 serves, ", (await SiloAsync(cluster, "add")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("Active", await StateAsync(cluster, "data-2"));

        Assert.Equal("data-1 is drained\n", (await OperateAsync(cluster, "drain", "data-1", "--wait")).Succeeded().Output);
        Assert.Equal("Drained", await StateAsync(cluster, "data-1"));
        Assert.Equal("data-1 serves\n", (await OperateAsync(cluster, "drain", "data-1", "--off", "--wait")).Succeeded().Output);

        // A data silo takes over the handshakes.
        Assert.Equal("data-1 is handshake\n", (await OperateAsync(cluster, "roles", "data-1", "handshake", "--wait")).Succeeded().Output);
        Assert.Equal("handshake-1 is drained and stopped\n", (await SiloAsync(cluster, "remove", "handshake-1")).Succeeded().Output);
        Assert.Equal(["Handshake"], (await cluster.ProcessAsync("data-1")).Roles);

        await over.CancelAsync();
        Assert.True(await load > 0);

        await RefusedAsync(OperateAsync(cluster, "drain", "data-2"), Failed, "data-2 is the last silo with the role data");
        await RefusedAsync(OperateAsync(cluster, "drain", "data2"), BadArgument, "did you mean 'data-2'?");
        await RefusedAsync(OperateAsync(cluster, "roles", "data-1", "handshakes"), BadArgument, "is not handshake, data,");
        await RefusedAsync(SiloAsync(cluster, "remove", "data-2"), Failed, "data-2 is the last silo with the role data");
        await RefusedAsync(SiloAsync(cluster, "remove", "nobody"), BadArgument, "there are data-1, data-2");

        // By the state folder instead of the admin endpoint, the other way round for `silo`, and by the configuration.
        string table = (await Cssl.RunAsync(["status", "--state", cluster.StateFolder])).Succeeded().Output;
        Assert.Contains("data-1: Data -> Handshake, by the operator: ordered", table, StringComparison.Ordinal);
        await RefusedAsync(OperateAsync(cluster, "silo", "remove", "nobody"), BadArgument, "there are data-1, data-2");
        var configured = new Dictionary<string, string> { ["CSSL_Gateway__Admin"] = $"127.0.0.1:{cluster.AdminPort}" };
        Assert.Contains("data-1", (await Cssl.RunAsync(["status"], environment: configured)).Succeeded().Output, StringComparison.Ordinal);
        await RefusedAsync(Cssl.RunAsync(["silo", "remove", "nobody"], environment: configured), BadArgument, "there are data-1, data-2");
        await RefusedAsync(Cssl.RunAsync(["status", "--state", cluster.StateFolder + "x"]), Failed, "no cluster runs with the state folder");
    }

    [Fact]
    public async Task Data_silo_takes_the_handshakes_over_by_itself_when_nobody_else_is_left_for_them()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { Arguments = ["--no-restart", "--Silo:RoleMode=Auto"] });
        ProcFs.Signal((await cluster.ProcessAsync("handshake-1")).ProcessId, ProcFs.SigKill);

        await Eventually.TrueAsync(
            async () => (await cluster.CurlAsync("/")).ExitCode == 0,
            "clients are served again");

        ClusterProcess helper = Assert.Single(await cluster.StatusAsync(), process => process.Roles.Count == 2);
        string table = (await Cssl.RunAsync(["status", "--admin", $"{cluster.AdminPort}"])).Succeeded().Output;
        Assert.Contains($"{helper.Name}: Data -> Handshake, Data, by the planner: no silo has the role handshake", table, StringComparison.Ordinal);
    }

    /// <summary>One client after the other until told to stop; returns how many were served. Each must be.</summary>
    private static async Task<int> LoadAsync(Cluster cluster, CancellationToken over)
    {
        int served = 0;
        for (; !over.IsCancellationRequested; served++)
            (await cluster.CurlAsync("/slow?ms=50")).Succeeded();
        return served;
    }

    private static async Task<string> StateAsync(Cluster cluster, string silo) => (await cluster.ProcessAsync(silo)).State;

    private static Task<ToolResult> OperateAsync(Cluster cluster, params string[] arguments) => Cssl.RunAsync([.. arguments, "--admin", $"{cluster.AdminPort}"]);

    private static Task<ToolResult> SiloAsync(Cluster cluster, params string[] arguments) => Cssl.RunAsync(["silo", .. arguments, "--state", cluster.StateFolder]);

    private static async Task RefusedAsync(Task<ToolResult> command, int exitCode, string reason)
    {
        ToolResult result = await command;
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }
}
