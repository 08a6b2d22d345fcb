using System.CommandLine;
using System.Globalization;
using System.Text;
using CSsl.Bench.Reports;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Scaling;

/// <summary>What a handshake storm does to downloads that are under way: C-SSL with its roles on CPU of their own, and nginx with as much CPU in all.</summary>
internal static class StormBenchmark
{
    private const int Downloads = 16;
    private const int WarmUpSeconds = 15;

    public static Command Command()
    {
        var gateway = new Option<double>("--gateway-cores") { Description = "CPU of the gateway.", DefaultValueFactory = _ => 0.4 };
        var handshake = new Option<double>("--handshake-cores") { Description = "CPU of the handshake silo.", DefaultValueFactory = _ => 0.3 };
        var data = new Option<double>("--data-cores") { Description = "CPU of the data silo.", DefaultValueFactory = _ => 0.3 };
        var storm = new Option<double>("--storm-cores") { Description = "CPU of the clients that make the storm.", DefaultValueFactory = _ => 0.5 };
        var seconds = new Option<int>("--seconds") { Description = "Seconds without and with the storm.", DefaultValueFactory = _ => 6 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; each has all of it once.", DefaultValueFactory = _ => 3 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var command = new Command("storm", "Downloads under way during a handshake storm, against nginx.") { gateway, handshake, data, storm, seconds, rounds, output };
        command.SetAction(parsed => RunAsync(
            new StormShares(parsed.GetValue(gateway), parsed.GetValue(handshake), parsed.GetValue(data), parsed.GetValue(storm)), parsed.GetValue(seconds), parsed.GetValue(rounds), parsed.GetValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(StormShares shares, int seconds, int rounds, string? output)
    {
        await using Site site = await Site.StartAsync();
        List<CpuGroup> groups = [];
        try
        {
            Cssl cssl = await site.StartCsslAsync("up", "up", "--data", "1");
            Nginx nginx = await site.StartNginxAsync("nginx");

            // Compiled and warm before the CPU is cut.
            await StormCrowd.RunAsync(cssl.Port, site.Certificates, WarmUpSeconds, group: null);
            foreach (IContestant contestant in (IContestant[])[cssl, nginx])
            {
                await using var downloads = await EndlessDownloads.StartAsync(contestant.Port, Downloads);
                await downloads.RateAsync(TimeSpan.FromSeconds(seconds));
            }

            StormPart[] parts = [new("gateway", shares.Gateway, cssl.Gateways), new("handshake silo", shares.Handshake, cssl.HandshakeSilos), new("data silo", shares.Data, cssl.DataSilos)];
            StormPart whole = new("nginx", parts.Sum(static part => part.Cores), nginx.ProcessIds);
            foreach (StormPart part in parts.Append(whole))
                Give(part.Name.Split(' ')[0], part.Cores).Add(part.ProcessIds);
            CpuGroup storm = Give("storm", shares.Storm);

            var results = new Dictionary<string, List<StormResult>> { [cssl.Name] = [], [nginx.Name] = [] };
            for (int round = 0; round < rounds; round++)
            {
                foreach ((IContestant contestant, StormPart[] its) in new (IContestant, StormPart[])[] { (cssl, parts), (nginx, [whole]) })
                {
                    StormResult result = await MeasureAsync(contestant, its, site.Certificates, seconds, storm);
                    results[contestant.Name].Add(result);
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"{contestant.Name}: {result.CalmRate:0} MB/s calm, {result.StormRate:0} MB/s in the storm ({result.Share:0%}), {result.Handshakes:0} handshakes/s; {string.Join(", ", result.Busy)}"));
                }
            }

            string page = Page(results, shares, seconds, rounds);
            Console.WriteLine(page);
            if (output is not null)
                await File.WriteAllTextAsync(output, page);
        }
        finally
        {
            groups.ForEach(static group => group.Dispose());
        }

        return 0;

        CpuGroup Give(string name, double cores)
        {
            var group = new CpuGroup(name);
            groups.Add(group);
            group.Limit(cores);
            return group;
        }
    }

    private static async Task<StormResult> MeasureAsync(IContestant contestant, StormPart[] parts, string certificates, int seconds, CpuGroup storm)
    {
        await using var downloads = await EndlessDownloads.StartAsync(contestant.Port, Downloads);
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        var time = TimeSpan.FromSeconds(seconds);
        (double calm, double[] calmCpu) = await RateAsync();
        Task<double> storming = StormCrowd.RunAsync(contestant.Port, certificates, seconds + 2, storm);
        await Task.Delay(TimeSpan.FromSeconds(1));
        (double stormy, double[] stormCpu) = await RateAsync();
        return new StormResult(calm, stormy, await storming, [.. parts.Select((part, i) => new StormBusy(part.Name, calmCpu[i] / part.Cores, stormCpu[i] / part.Cores))]);

        async Task<(double Rate, double[] Cores)> RateAsync()
        {
            double[] before = [.. parts.Select(static part => CpuTime.Of(part.ProcessIds))];
            double rate = await downloads.RateAsync(time);
            return (rate, [.. parts.Zip(before, (part, cpu) => (CpuTime.Of(part.ProcessIds) - cpu) / seconds)]);
        }
    }

    private static string Page(Dictionary<string, List<StormResult>> results, StormShares shares, int seconds, int rounds)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Downloads under way during a handshake storm

            `dotnet run --project CSsl.Bench -c Release -- storm`: {Downloads} connections download without end through each server, to the same origin; bytes per second for {seconds} s without and {seconds} s with a storm of new connections (full TLS 1.3
            handshakes with P-256, one GET of 1 KB), made as fast as {shares.Storm:0.##} cores can. CPU by control groups: C-SSL's gateway {shares.Gateway:0.##}, handshake silo {shares.Handshake:0.##}, data silo {shares.Data:0.##} cores; nginx
            as much in all. Medians of {rounds} rounds.


            """);
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append("\n| | MB/s, calm | MB/s, storm | kept | storm's handshakes/s |\n|---|---:|---:|---:|---:|\n");
        foreach ((string name, List<StormResult> rows) in results)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {name} | {rows.Select(static row => row.CalmRate).Median():0} | {rows.Select(static row => row.StormRate).Median():0} | {rows.Select(static row => row.Share).Median():0%} | {rows.Select(static row => row.Handshakes).Median():0} |\n");
        }

        return text.ToString();
    }

    private sealed record StormShares(double Gateway, double Handshake, double Data, double Storm);

    /// <summary>Processes that share so many cores.</summary>
    private sealed record StormPart(string Name, double Cores, IReadOnlyList<int> ProcessIds);

    /// <summary>The share of its CPU that a part used without and with the storm.</summary>
    private sealed record StormBusy(string Part, double Calm, double Storm)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Part} {Calm:0%} -> {Storm:0%}");
    }

    /// <param name="CalmRate">MB/s without the storm.</param>
    /// <param name="StormRate">MB/s during it.</param>
    /// <param name="Handshakes">The storm's connections that were answered, per second.</param>
    /// <param name="Busy">Of each part.</param>
    private sealed record StormResult(double CalmRate, double StormRate, double Handshakes, StormBusy[] Busy)
    {
        public double Share => StormRate / CalmRate;
    }
}
