using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Chaos;

/// <summary>A soak: keep-alive clients fetch while data silos are killed, hung or drained under them. No request may be lost, no connection made twice.</summary>
internal static class ChaosCommand
{
    public static Command Command()
    {
        var minutes = new Option<double>("--minutes") { Description = "How long.", DefaultValueFactory = _ => 2 };
        var seed = new Option<int>("--seed") { Description = "Same seed, same sizes, pauses and victims.", DefaultValueFactory = _ => 1 };
        var clients = new Option<int>("--clients") { Description = "Clients, each with one connection for the whole run.", DefaultValueFactory = _ => 64 };
        var every = new Option<double>("--every") { Description = "Seconds between two faults.", DefaultValueFactory = _ => 5 };
        var faults = new Option<FaultKind[]>("--faults") { Description = "What is done to a data silo; several are taken in turn.", DefaultValueFactory = _ => [FaultKind.Crash], AllowMultipleArgumentsPerToken = true };
        var largest = new Option<int>("--largest") { Description = "Bytes of the largest object; sizes are from 1 KB, small ones more often.", DefaultValueFactory = _ => 50_000_000 };
        var command = new Command("chaos", "Kills, hangs or drains data silos under load, and exits with 1 if a request was lost.") { minutes, seed, clients, every, faults, largest };
        command.SetAction(parsed => RunAsync(
            new ChaosPlan(TimeSpan.FromMinutes(parsed.GetValue(minutes)), parsed.GetValue(seed), parsed.GetValue(clients), TimeSpan.FromSeconds(parsed.GetValue(every)), parsed.GetValue(faults)!, parsed.GetValue(largest))));
        return command;
    }

    private static async Task<int> RunAsync(ChaosPlan plan)
    {
        await using Site site = await Site.StartAsync();
        Cssl cluster = await site.StartCsslAsync("up", "up", "--data", "3");
        using X509Certificate2 authority = site.LoadCertificate("ca.crt");
        using var stop = new CancellationTokenSource(plan.Time);
        ChaosClient[] clients = [.. Enumerable.Range(0, plan.Clients).Select(i => new ChaosClient(cluster.Port, authority, new Random(plan.Seed * 10_007 + i), plan.LargestBytes))];
        using var admin = new ClusterAdmin(cluster.AdminPort);
        var faults = new FaultInjector(plan, admin, clients);
        Task faulting = faults.RunAsync(stop.Token);
        await Task.WhenAll(clients.Select(client => client.RunAsync(stop.Token)));
        await faulting;

        ChaosSummary summary = ChaosSummary.Of(clients, faults.Faults, await admin.MetricsAsync());
        Console.WriteLine(summary.Text());
        foreach (ChaosClient client in clients)
            client.Dispose();
        return summary.IsLossless ? 0 : 1;
    }
}

/// <summary>What a run does.</summary>
internal sealed record ChaosPlan(TimeSpan Time, int Seed, int Clients, TimeSpan Every, IReadOnlyList<FaultKind> Faults, int LargestBytes);

/// <summary>What happens to a data silo.</summary>
internal enum FaultKind
{
    /// <summary>SIGKILL; `cssl up` starts it again.</summary>
    Crash,

    /// <summary>SIGSTOP, and SIGCONT after four seconds.</summary>
    Hang,

    /// <summary>SIGTERM: it drains and exits; `cssl up` starts it again.</summary>
    Drain,
}
