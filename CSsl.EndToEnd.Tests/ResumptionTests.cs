using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>A session made on one handshake silo is resumed by another: tickets are sealed under a key that all of them share.</summary>
[Collection(WaitingForUp.Name)]
public sealed class ResumptionTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Session_is_resumed_by_the_silo_that_did_not_make_it()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { HandshakeSilos = 2, DataSilos = 1 });
        cluster.Log.LineAdded += output.WriteLine;
        ClusterProcess[] silos = [.. (await cluster.StatusAsync()).Where(process => process.Name.StartsWith("handshake", StringComparison.Ordinal))];
        Assert.Equal(2, silos.Length);
        using var folder = new TempDirectory();

        // With the second silo stopped only the first can have made the sessions; with the first one gone only the second can resume them.
        var (name, hung) = (silos[1].Name, silos[1].ProcessId);
        ProcFs.Signal(hung, ProcFs.SigStop);
        foreach (string version in (string[])["-tls1_3", "-tls1_2"])
            (await SClient.GetAsync(cluster, "/", "-brief", version, "-sess_out", folder.File(version))).Succeeded();

        // It is declared dead meanwhile, or soon: what resumes them is its successor.
        await Eventually.TrueAsync(async () => !(await cluster.LivingAsync()).Contains(name), $"{name} is out");
        int mark = cluster.Log.Length;
        ProcFs.Signal(hung, ProcFs.SigCont);
        await cluster.Log.WaitForAsync($"{name} (pid {hung}) ended: exit code 1, starting it again", from: mark);
        mark = cluster.Log.Length;
        await Eventually.TrueAsync(async () => (await cluster.StatusAsync()).Any(process => process.Name == name && process.State == "Active" && process.ProcessId != hung), "its successor serves");
        await cluster.Log.WaitForAsync($"Link with {name} at", from: mark);
        ProcFs.Signal(silos[0].ProcessId, ProcFs.SigStop);

        foreach (string version in (string[])["-tls1_3", "-tls1_2"])
        {
            ToolResult result = (await SClient.GetAsync(cluster, "/", version, "-sess_in", folder.File(version))).Succeeded();
            Assert.Contains("Reused, TLSv1", result.Output, StringComparison.Ordinal);
            Assert.Equal(200, HttpText.Parse(result.Output).Status);
        }

        ProcFs.Signal(silos[0].ProcessId, ProcFs.SigCont);
        cluster.Log.LineAdded -= output.WriteLine;
    }
}
