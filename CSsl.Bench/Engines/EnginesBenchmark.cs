using System.CommandLine;
using CSsl.Tls.Engines;

namespace CSsl.Bench.Engines;

/// <summary>Records that one core seals per second: each engine, record by record and in batches, and <c>openssl speed</c>.</summary>
internal static class EnginesBenchmark
{
    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; each measures every contestant once.", DefaultValueFactory = _ => 5 };
        var time = new Option<int>("--time") { Description = "Milliseconds per contestant and round.", DefaultValueFactory = _ => 30 };
        var core = new Option<int>("--core") { Description = "The core to run on.", DefaultValueFactory = _ => 1 };
        var suite = new Option<string>("--suite") { Description = "Only suites whose name contains this.", DefaultValueFactory = _ => "" };
        var openSsl = new Option<bool>("--openssl") { Description = "Measure openssl speed too.", DefaultValueFactory = _ => true };
        var output = new Option<string?>("--output") { Description = "Folder to write engines.md and engines.svg to.", HelpName = "FOLDER" };
        var command = new Command("engines", "Records per second that one core seals.") { rounds, time, core, suite, openSsl, output };
        command.SetAction(parsed =>
        {
            // A thread of its own: what is pinned stays pinned.
            int exitCode = 0;
            Exception? failure = null;
            var thread = new Thread(() =>
            {
                try
                {
                    Core.Pin(parsed.GetValue(core));
                    exitCode = Run(parsed.GetValue(rounds), parsed.GetValue(time), parsed.GetValue(suite)!, parsed.GetValue(openSsl), parsed.GetValue(output));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            });
            thread.Start();
            thread.Join();
            return failure is null ? exitCode : throw new BenchException(failure.Message);
        });
        return command;
    }

    private static int Run(int rounds, int milliseconds, string filter, bool openSsl, string? output)
    {
        using IRecordEngine ipsecMb = RecordEngines.Create(EngineChoice.IpsecMb, out _);
        EngineContestant[] contestants =
        [
            new("managed, one by one", ManagedEngine.Instance, Batched: false),
            new("managed, batched", ManagedEngine.Instance, Batched: true),
            new("ipsec-mb, one by one", ipsecMb, Batched: false),
            new("ipsec-mb, batched", ipsecMb, Batched: true),
        ];
        EngineCase[] suites = [.. EngineCase.All.Where(suite => suite.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))];
        var time = TimeSpan.FromMilliseconds(milliseconds);

        WarmUp(contestants, suites);
        List<EngineResult> results = [];
        foreach (EngineCase suite in suites)
        {
            foreach (int size in EngineLoad.Sizes)
            {
                double reference = openSsl ? OpenSslSpeed.Measure(suite.OpenSsl, size) : 0;
                foreach (int connections in EngineLoad.ConnectionCounts)
                    results.Add(Measure(contestants, suite, new EngineLoad(size, connections), rounds, time, reference));
            }
        }

        var report = new EngineReport(ipsecMb.Name, [.. contestants.Select(contestant => contestant.Name)], results, rounds, milliseconds, AggregatorLatency.Measure(ipsecMb, 10 * rounds));
        report.Print();
        if (output is not null)
            report.Write(output);
        return 0;
    }

    private static EngineResult Measure(EngineContestant[] contestants, EngineCase suite, EngineLoad shape, int rounds, TimeSpan time, double reference)
    {
        double[][] rates = [.. contestants.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                using var load = new SealingLoad(contestants[i].Engine, suite, shape);
                rates[i][round] = contestants[i].Measure(load, shape, time);
            }
        }

        return new EngineResult(suite, shape, rates, reference);
    }

    /// <summary>Until the JIT is done with what is measured.</summary>
    private static void WarmUp(EngineContestant[] contestants, EngineCase[] suites)
    {
        var shape = new EngineLoad(64, 64);
        foreach (EngineContestant contestant in contestants)
        {
            foreach (EngineCase suite in suites)
            {
                using var load = new SealingLoad(contestant.Engine, suite, shape);
                contestant.Measure(load, shape, TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
