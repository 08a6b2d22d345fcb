using System.Globalization;
using System.Text;
using Spectre.Console;

namespace CSsl.Bench.ClusterSim;

/// <summary>The results as tables and pictures.</summary>
internal static class SimReport
{
    private const string Blue = "#1f6fb4", Orange = "#d9730d";

    private static readonly string[] Headings =
    [
        "scenario", "silos", "imbalance handshake", "imbalance data", "changes of roles", "first order s", "first effect s", "rebalanced s",
        "worst wait p99 ms", "worst slowdown", "refused", "moved", "handshakes/s", "run s",
    ];

    private static readonly string[] ScalingHeadings = ["silos", "handshakes/s", "GB/s", "CPU used of CPU asked for", "per silo, by the smallest cluster", "cluster grain, cores"];

    /// <summary>Prints the tables.</summary>
    public static void Print(IReadOnlyList<SimResult> results, SimCosts costs)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 200;
        Print("cluster simulation", Headings, results.Select(Row));
        Print("scaling, steady", ScalingHeadings, Scaling(results, costs));
    }

    /// <summary>The page.</summary>
    public static string Markdown(IReadOnlyList<SimResult> results, SimCosts costs, int seed)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # The cluster, simulated

            `dotnet run --project CSsl.Bench -c Release -- cluster-sim --output docs/bench` makes this page (seed {seed}; the same seed gives the same numbers).

            A discrete-event model: clients come at random, gateways choose silos with the real `SiloPicker` on a view that is up to a second old, silos with one core each work and report twice a second, the
            real `RolePlanner` moves roles. Costs as measured: {costs.FullHandshake:0} µs of a handshake silo's CPU per full handshake and {costs.Resumption:0} per resumption ({costs.ResumedShare:0 %} of them), {costs.PerMegabyte:0} µs of a data silo's per MB; a new
            silo reports {costs.StartTime:0.0} s after its start. Downloads have {costs.MeanMegabytes:0} MB in the mean and clients take {costs.ClientRate:0.0} MB/s. At the start a cluster has as many handshake silos as this load asks for (twenty times as many before the flood); fewer than 6 silos do both.

            - *steady*: 60 % of all cores.
            - *handshake storm*: 35 %, and from 5 s to 15 s four times as many handshakes as the handshake silos can do, which nothing follows.
            - *bulk flood*: 30 %, and from 5 s to 15 s downloads on connections that exist for another 35 %.
            - *rolling crash*: 50 %, and from 5 s to 15 s 2 % of the silos die per second; each starts again at once.

            *Imbalance* is the busiest silo's load by the mean of its role, over half a second each, in the mean of the time before the trouble (for silos that are nearly idle, as the handshake silos before the flood, it says little). *First order* and *first effect* (a silo works in its new role) count from its start, as does *rebalanced*: from then on to its end 99 % of the
            handshakes wait for less than {SimResult.GoodWait * 1000:0} ms and downloads take less than 1.25 times their client's time. *Moved*: handshakes and downloads that went on at another silo.

            ![utilisation and waits of 200 silos](cluster-sim.svg)


            """);
        Table(text, Headings[..^1], results.Select(static result => Row(result)[..^1]));
        text.Append("\n## Scaling\n\nSteady load of 60 % of all cores. The cluster grain answers a silo's report with that silo's part of the view and a gateway's with the whole; it is one grain, and one core is all that it can have.\n\n");
        Table(text, ScalingHeadings, Scaling(results, costs));
        return text.ToString();
    }

    /// <summary>Utilisation, waits and the number of silos of each scenario, for one size.</summary>
    public static string Svg(IEnumerable<SimResult> results) => SvgPlot.Draw([.. results.SelectMany(Charts)], columns: 3);

    private static IEnumerable<Chart> Charts(SimResult result)
    {
        (double, double)? shade = result.Scenario is { Storm: 0, Flood: 0, CrashRate: 0 } ? null : (result.Scenario.From, result.Scenario.To);
        Line Line(string name, string colour, Func<Sample, double> value) => new(name, colour, [.. result.Samples.Select(sample => (sample.At, value(sample)))]);

        yield return new Chart($"{result.Scenario.Name}: utilisation", 1, static value => value.ToString("0 %", CultureInfo.InvariantCulture),
            [Line("handshake silos", Blue, static sample => sample.HandshakeLoad), Line("data silos", Orange, static sample => sample.DataLoad)], shade);
        yield return new Chart($"{result.Scenario.Name}: silos", result.Silos, static value => value.ToString("0", CultureInfo.InvariantCulture),
            [Line("handshake", Blue, static sample => sample.HandshakeSilos), Line("data", Orange, static sample => sample.DataSilos)], shade);
        var worst = Math.Max(0.1, result.Samples.Max(static sample => sample.Wait));
        yield return new Chart($"{result.Scenario.Name}: 99 % wait for less, in ms", worst, static value => (value * 1000).ToString("0", CultureInfo.InvariantCulture),
            [Line("handshakes", Blue, static sample => sample.Wait)], shade);
    }

    private static string[] Row(SimResult result) =>
    [
        result.Scenario.Name, Number(result.Silos), Number(result.HandshakeImbalance, "0.00"), Number(result.DataImbalance, "0.00"), Number(result.Changes),
        Number(result.FirstOrder, "0.0"), Number(result.Changes > 0 ? result.FirstEffect : null, "0.0"),
        IsTroubled(result) ? result.Rebalanced is { } at ? Number(at, "0.0") : "not" : "",
        Number(result.WorstWait * 1000), Number(result.WorstSlowdown, "0.00"), Number(result.Refused), Number(result.Moved), Number(result.Handshakes / result.Scenario.End), Number(result.Took, "0.0"),
    ];

    private static IEnumerable<string[]> Scaling(IReadOnlyList<SimResult> results, SimCosts costs)
    {
        var steady = results.Where(static result => !IsTroubled(result)).OrderBy(static result => result.Silos).ToList();
        foreach (var result in steady)
        {
            yield return
            [
                Number(result.Silos), Number(result.Handshakes / result.Scenario.End), Number(result.Downloads * costs.MeanMegabytes / 1000 / result.Scenario.End, "0.0"),
                Number(result.Efficiency, "0 %"), Number(result.Handshakes / (double)result.Silos / (steady[0].Handshakes / (double)steady[0].Silos), "0.00"), Number(result.GrainCores, "0.00"),
            ];
        }
    }

    private static bool IsTroubled(SimResult result) => result.Scenario is not { Storm: 0, Flood: 0, CrashRate: 0 };

    private static void Print(string title, string[] headings, IEnumerable<string[]> rows)
    {
        var table = new Table { Border = TableBorder.Rounded, Title = new TableTitle(title) };
        foreach (var heading in headings)
            table.AddColumn(new TableColumn(Markup.Escape(heading)).RightAligned());
        foreach (var row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Write(table);
    }

    private static void Table(StringBuilder text, string[] headings, IEnumerable<string[]> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", headings)} |\n|---|{string.Concat(Enumerable.Repeat("---:|", headings.Length - 1))}\n");
        foreach (var row in rows)
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |\n");
    }

    private static string Number(double? value, string format = "0") => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
