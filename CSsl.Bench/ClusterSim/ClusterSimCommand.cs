using System.CommandLine;

namespace CSsl.Bench.ClusterSim;

/// <summary><c>cluster-sim</c>: what the planner and the picker do with clusters that no machine here could run.</summary>
internal static class ClusterSimCommand
{
    /// <summary>The size whose course is drawn.</summary>
    private const int DrawnSilos = 200;

    private static readonly int[] Sizes = [2, 8, 32, DrawnSilos, 2000];

    public static Command Command()
    {
        var defaults = new SimCosts();
        var sizes = new Option<int[]>("--silos") { Description = "Sizes of clusters, 2 to 2000.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = static _ => Sizes };
        var seed = new Option<int>("--seed") { Description = "Of everything random.", DefaultValueFactory = static _ => 1 };
        var full = Cost("--handshake-us", "CPU of a full handshake, in µs.", defaults.FullHandshake);
        var resumed = Cost("--resumption-us", "CPU of a resumption, in µs.", defaults.Resumption);
        var share = Cost("--resumed", "Share of handshakes that resume, 0 to 1.", defaults.ResumedShare);
        var megabyte = Cost("--megabyte-us", "CPU per MB, in µs.", defaults.PerMegabyte);
        var call = Cost("--grain-call-us", "CPU of a report to the cluster grain, in µs.", defaults.GrainCall);
        var perSilo = Cost("--grain-silo-us", "And for each silo in the answer to a gateway.", defaults.GrainCallPerSilo);
        var output = new Option<string?>("--output") { Description = "Folder for cluster-sim.md and cluster-sim.svg.", HelpName = "DIR" };
        var command = new Command("cluster-sim", "Simulates clusters of 2 to 2,000 silos under steady load, a handshake storm, a bulk flood and rolling crashes, with the real RolePlanner and SiloPicker.")
        {
            sizes, seed, full, resumed, share, megabyte, call, perSilo, output,
        };
        command.SetAction(parsed =>
        {
            var costs = new SimCosts
            {
                FullHandshake = parsed.GetValue(full),
                Resumption = parsed.GetValue(resumed),
                ResumedShare = Math.Clamp(parsed.GetValue(share), 0, 1),
                PerMegabyte = parsed.GetValue(megabyte),
                GrainCall = parsed.GetValue(call),
                GrainCallPerSilo = parsed.GetValue(perSilo),
            };
            return Run(parsed.GetValue(sizes)!, costs, parsed.GetValue(seed), parsed.GetValue(output));
        });
        return command;
    }

    private static Option<double> Cost(string name, string description, double value)
        => new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };

    private static int Run(int[] sizes, SimCosts costs, int seed, string? output)
    {
        if (sizes.Any(static size => size is < 2 or > 2000))
            throw new BenchException("--silos takes sizes from 2 to 2000");

        var results = new List<SimResult>();
        foreach (var scenario in Scenario.All)
        {
            foreach (var size in sizes)
            {
                using var simulation = new Simulation(scenario, size, costs, seed);
                results.Add(simulation.Run());
            }
        }

        SimReport.Print(results, costs);
        if (output is not null)
        {
            Directory.CreateDirectory(output);
            File.WriteAllText(Path.Combine(output, "cluster-sim.md"), SimReport.Markdown(results, costs, seed));
            var drawn = sizes.Contains(DrawnSilos) ? DrawnSilos : sizes.Max();
            File.WriteAllText(Path.Combine(output, "cluster-sim.svg"), SimReport.Svg(results.Where(result => result.Silos == drawn)));
        }

        return 0;
    }
}
