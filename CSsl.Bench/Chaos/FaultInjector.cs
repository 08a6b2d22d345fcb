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
    private static readonly TimeSpan HangTime = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

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
        double takenOver = await TakenOverAsync();
        (ChaosClient Client, long Request)[] underWay = [.. clients.Select(static client => (client, client.RequestAt)).Where(static client => client.RequestAt != 0)];
        long fault = Stopwatch.GetTimestamp();
        Signal(victim.Pid, kind switch { FaultKind.Crash => SigKill, FaultKind.Hang => SigStop, _ => SigTerm });
        Task<TimeSpan>[] waits = [.. underWay.Select(client => NextByteAsync(client.Client, client.Request, fault))];
        if (kind == FaultKind.Hang)
        {
            await Task.Delay(HangTime);
            Signal(victim.Pid, SigContinue);
        }

        TimeSpan[] waited = await Task.WhenAll(waits);
        int affected = (int)(await TakenOverAsync() - takenOver);

        // Who was on that silo is not to be seen from here, but those that were waited longest.
        return new Fault(kind, victim.Name, at, affected, [.. waited.OrderDescending().Take(affected)]);
    }

    private async Task<double> TakenOverAsync() => (await admin.MetricsAsync()).GetValueOrDefault("cssl_gateway_taken_over_total");

    private static async Task<TimeSpan> NextByteAsync(ChaosClient client, long request, long fault)
    {
        while (client.ProgressAt < fault && client.RequestAt == request && Stopwatch.GetElapsedTime(fault) < LongestWait)
            await Task.Delay(5);
        return client.ProgressAt >= fault ? Stopwatch.GetElapsedTime(fault, client.ProgressAt) : Stopwatch.GetElapsedTime(fault);
    }

    private static void Signal(int pid, int signal)
    {
        // It may have ended by itself: then there is nothing to do to it.
        if (Kill(pid, signal) != 0)
            Console.WriteLine($"       no process {pid} any more");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
