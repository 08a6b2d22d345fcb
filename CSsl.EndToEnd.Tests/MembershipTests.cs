using System.Diagnostics;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests;

/// <summary>Which silos the cluster engine holds for alive: one that dies or hangs is out, and no other.</summary>
/// <remarks>How soon is measured in docs/orleans.md; the deadlines here are for a busy machine, and still shorter than what Orleans takes by default for one that hangs.</remarks>
[Collection(OwnCluster.Name)]
public sealed class MembershipTests(ITestOutputHelper output)
{
    private const string Victim = "data-1";

    private static readonly string[] Others = ["data-2", "data-3", "handshake-1"];

    [Fact]
    public async Task Silo_that_was_killed_is_out()
    {
        await using Cluster cluster = await StartAsync();
        await IsOutAsync(cluster, async () => ProcFs.Signal(await ProcessIdAsync(cluster), ProcFs.SigKill));
    }

    [Fact]
    public async Task Silo_that_hangs_is_out_and_ends_when_it_goes_on()
    {
        await using Cluster cluster = await StartAsync();
        int hung = await ProcessIdAsync(cluster);
        int mark = cluster.Log.Length;
        try
        {
            await IsOutAsync(cluster, () =>
            {
                ProcFs.Signal(hung, ProcFs.SigStop);
                return Task.CompletedTask;
            });
        }
        finally
        {
            ProcFs.Signal(hung, ProcFs.SigCont);
        }

        await Eventually.TrueAsync(() => !ProcFs.IsAlive(hung), "it has found itself declared dead, and has ended", TimeSpan.FromSeconds(60));
        Assert.Equal(Others, await cluster.LivingAsync());

        // One line of its own, and its exit code; no stack.
        await cluster.Log.WaitForAsync($"{Victim} (pid {hung}) ended: exit code 1", from: mark);
        string[] told = [.. cluster.Log.Text()[mark..].Split('\n').Where(static line => line.StartsWith(Victim, StringComparison.Ordinal) && !line.Contains(" info ", StringComparison.Ordinal))];
        Assert.Contains("cssl: the other silos have declared this one dead", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_that_was_declared_dead_is_started_again()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { DataSilos = 2 });
        int hung = await ProcessIdAsync(cluster);
        ProcFs.Signal(hung, ProcFs.SigStop);
        await Eventually.TrueAsync(async () => !(await cluster.LivingAsync()).Contains(Victim), $"{Victim} is out");
        ProcFs.Signal(hung, ProcFs.SigCont);

        await cluster.Log.WaitForAsync($"{Victim} (pid {hung}) ended: exit code 1, starting it again");
        await Eventually.TrueAsync(
            async () => (await cluster.StatusAsync()).Any(silo => silo is { Name: Victim, State: "Active" } && silo.ProcessId != hung), "its successor serves", TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Of_two_silos_one_finds_out_alone_that_the_other_is_dead()
    {
        await using Cluster cluster = await Cluster.StartAsync(new ClusterSettings { DataSilos = 1, Arguments = ["--no-restart"] });
        ProcFs.Signal(await ProcessIdAsync(cluster), ProcFs.SigKill);
        await Eventually.TrueAsync(async () => (await cluster.LivingAsync()).SequenceEqual(["handshake-1"]), $"{Victim} is out");
    }

    private static Task<Cluster> StartAsync() => Cluster.StartAsync(new ClusterSettings { DataSilos = 3, Arguments = ["--no-restart"] });

    private static async Task<int> ProcessIdAsync(Cluster cluster) => (await cluster.StatusAsync()).Single(static process => process.Name == Victim).ProcessId;

    private async Task IsOutAsync(Cluster cluster, Func<Task> fault)
    {
        Assert.Equal([Victim, .. Others], await cluster.LivingAsync());
        await fault();
        long start = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(async () => !(await cluster.LivingAsync()).Contains(Victim), $"{Victim} is out");
        output.WriteLine($"out after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        Assert.Equal(Others, await cluster.LivingAsync());
    }
}
