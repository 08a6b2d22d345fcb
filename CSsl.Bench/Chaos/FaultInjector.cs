using System.Diagnostics;
using System.Runtime.InteropServices;
using CSsl.Grains.Cluster;

namespace CSsl.Bench.Chaos;

/// <summary>One fault, and how long the clients that had a request under way waited for their next byte.</summary>
internal sealed record Fault(FaultKind Kind, string Silo, TimeSpan At, int TakenOver, IReadOnlyList<TimeSpan> Waits);

/// <summary>Does something to one data silo every few seconds, while two others live.</summary>
internal sealed partial class FaultInjector(ChaosPlan plan, ClusterAdmin admin, IReadOnlyList<ChaosClient> clients)
{
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(4);

    private readonly Random _random = new(plan.Seed);
    private readonly List<Fault> _faults = [];

    public IReadOnlyList<Fault> Faults => _faults;

    public async Task RunAsync(CancellationToken stop)
    {
        long start = Stopwatch.GetTimestamp();
        var watching = new List<Task<Fault>>();
        for (int i = 0; !stop.IsCancellationRequested; i++)
        {
            await Task.Delay(plan.Every, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested || await admin.DataSilosAsync() is not { Count: >= 2 } silos)
                continue;
            ProcessStatus victim = silos[_random.Next(silos.Count)];
            FaultKind kind = plan.Faults[i % plan.Faults.Count];
            Console.WriteLine($"{Stopwatch.GetElapsedTime(start):mm\\:ss}  {kind} {victim.Name} (pid {victim.Pid}, {victim.Connections} sessions)");
            watching.Add(WatchAsync(kind, victim, Stopwatch.GetElapsedTime(start)));
        }

        _faults.AddRange(await Task.WhenAll(watching));
    }

    private async Task<Fault> WatchAsync(FaultKind kind, ProcessStatus victim, TimeSpan at)
    {
        double before = await TakenOverAsync();
        long fault = Stopwatch.GetTimestamp();
        Signal(victim.Pid, kind switch { FaultKind.Crash => SigKill, FaultKind.Hang => SigStop, _ => SigTerm });
        await Task.Delay(Window);
        if (kind == FaultKind.Hang)
            Signal(victim.Pid, SigContinue);

        // Who had something under way on that silo is not to be seen from here, but how many, and those waited longest.
        int affected = (int)(await TakenOverAsync() - before);
        long until = Stopwatch.GetTimestamp();
        return new Fault(kind, victim.Name, at, affected, [.. clients.Select(client => client.LongestWait(fault, until)).OrderDescending().Take(affected)]);
    }

    private async Task<double> TakenOverAsync() => (await admin.MetricsAsync()).GetValueOrDefault("cssl_gateway_taken_over_total");

    private static void Signal(int pid, int signal)
    {
        // It may have ended by itself: then there is nothing to do to it.
        if (Kill(pid, signal) != 0)
            Console.WriteLine($"       no process {pid} any more");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
