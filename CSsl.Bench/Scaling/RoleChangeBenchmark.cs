using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using CSsl.Bench.Chaos;
using CSsl.Bench.Reports;
using CSsl.Bench.Servers;
using CSsl.Grains.Cluster;

namespace CSsl.Bench.Scaling;

/// <summary>How long a cluster takes, from the first client of a handshake storm on, until a data silo helps with the handshakes.</summary>
internal static class RoleChangeBenchmark
{
    private const int WarmUpSeconds = 20;
    private const int StormSeconds = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public static Command Command()
    {
        var cores = new Option<double>("--cores") { Description = "CPU of the handshake silo.", DefaultValueFactory = _ => 0.1 };
        var rounds = new Option<int>("--rounds") { Description = "Clusters, one after the other.", DefaultValueFactory = _ => 5 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var command = new Command("role-change", "From the start of a handshake storm until another silo takes handshakes.") { cores, rounds, output };
        command.SetAction(parsed => RunAsync(parsed.GetValue(cores), parsed.GetValue(rounds), parsed.GetValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(double cores, int rounds, string? output)
    {
        var changes = new List<RoleChange>();
        for (int round = 0; round < rounds; round++)
        {
            RoleChange change = await MeasureAsync(cores);
            changes.Add(change);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"decided after {change.Decided:0.00} s, in effect after {change.InEffect:0.00} s, handshakes reported after {change.Reported:0.00} s: {change.Reason}"));
        }

        string page = Page(changes, cores);
        Console.WriteLine(page);
        if (output is not null)
            await File.WriteAllTextAsync(output, page);
        return 0;
    }

    private static async Task<RoleChange> MeasureAsync(double cores)
    {
        await using Site site = await Site.StartAsync();
        Cssl cluster = await site.StartCsslAsync("up", "up", "--data", "3", "--Limits:SourceHandshakeRate=0");
        using var admin = new ClusterAdmin(cluster.AdminPort);
        using var group = new CpuGroup("handshake");

        // Compiled code first, and a cluster that does not react to the time before.
        await StormCrowd.RunAsync(cluster.Port, site.Certificates, WarmUpSeconds, group: null);
        group.Limit(cores);
        group.Add(cluster.HandshakeSilos);
        await CalmAsync(admin);
        foreach (ProcessStatus silo in await admin.DataSilosAsync())
            await cluster.OperateAsync("roles", silo.Name, "auto");

        long start = 0;
        Task storm = StormCrowd.RunAsync(cluster.Port, site.Certificates, StormSeconds, group: null, onStart: () => Volatile.Write(ref start, Stopwatch.GetTimestamp()));
        double? decided = null, inEffect = null;
        while (!storm.IsCompleted)
        {
            await Task.Delay(Poll);
            ClusterStatus status = await admin.StatusAsync();
            long from = Volatile.Read(ref start);
            if (from == 0 || status.Decisions is not [.., { By: nameof(OrderedBy.Planner) } decision])
                continue;

            double now = Stopwatch.GetElapsedTime(from).TotalSeconds;
            decided ??= now;
            ProcessStatus silo = status.Processes.Single(process => process.Name == decision.Silo);
            if (silo.State == nameof(SiloState.Active) && silo.Roles.Contains(nameof(SiloRoles.Handshake)))
                inEffect ??= now;
            if (inEffect is not null && silo.HandshakesPerSecond > 0)
            {
                await storm;
                return new RoleChange(decided.Value, inEffect.Value, now, $"{decision.Silo}, {decision.Reason}");
            }
        }

        throw new BenchException($"no silo changed its role and made a handshake in a storm of {StormSeconds} s");
    }

    /// <summary>Until the code of the warm-up is compiled, and everybody has reported that.</summary>
    private static async Task CalmAsync(ClusterAdmin admin)
    {
        using var deadline = new CancellationTokenSource(Patience);
        for (int calm = 0; calm < 4;)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5), deadline.Token);
            calm = (await admin.ProcessesAsync()).All(static process => process.Kind != "silo" || process.Cpu < 0.03) ? calm + 1 : 0;
        }
    }

    private static string Page(List<RoleChange> changes, double cores)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # From a storm to another role

            `dotnet run --project CSsl.Bench -c Release -- role-change`: one handshake silo with {cores * 100:0.#} % of a core (control group), and three data silos, which the planner may move. 200 clients begin all at
            once and make one connection after the other. Decided: the planner has given the order. In effect: the gateway, which chooses the silo of every handshake from its view, has a second handshake silo in it.
            Reported: that silo's first handshakes are in the gateway's view, up to a second after they were made.


            """);
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append("\n| run | decided after | in effect after | reported after | reason |\n|---:|---:|---:|---:|---|\n");
        for (int i = 0; i < changes.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"| {i + 1} | {changes[i].Decided:0.00} s | {changes[i].InEffect:0.00} s | {changes[i].Reported:0.00} s | {changes[i].Reason} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\nMedian {changes.Select(static change => change.InEffect).Median():0.00} s, longest {changes.Max(static change => change.InEffect):0.00} s.\n");
        return text.ToString();
    }

    /// <summary>Seconds from the storm's start.</summary>
    private sealed record RoleChange(double Decided, double InEffect, double Reported, string Reason);
}
