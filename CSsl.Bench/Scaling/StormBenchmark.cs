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

    public static Command Command()
    {
        var gateway = new Option<double>("--gateway-cores") { Description = "CPU of the gateway.", DefaultValueFactory = _ => 0.5 };
        var handshake = new Option<double>("--handshake-cores") { Description = "CPU of the handshake silo.", DefaultValueFactory = _ => 0.2 };
        var data = new Option<double>("--data-cores") { Description = "CPU of the data silo.", DefaultValueFactory = _ => 0.2 };
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
            await StormCrowd.RunAsync(cssl.Port, site.Certificates, 6, group: null);
            Give("handshake", shares.Handshake, cssl.HandshakeSilos);
            Give("data", shares.Data, cssl.DataSilos);
            Give("gateway", shares.Gateway, cssl.Gateways);
            Give("nginx", shares.Gateway + shares.Handshake + shares.Data, nginx.ProcessIds);
            CpuGroup storm = Give("storm", shares.Storm, []);

            var results = new Dictionary<string, List<StormResult>> { [cssl.Name] = [], [nginx.Name] = [] };
            for (int round = 0; round < rounds; round++)
            {
                foreach (IContestant contestant in (IContestant[])[cssl, nginx])
                {
                    StormResult result = await MeasureAsync(contestant, site.Certificates, seconds, storm);
                    results[contestant.Name].Add(result);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{contestant.Name}: {result.CalmRate:0} MB/s calm, {result.StormRate:0} MB/s in the storm ({result.Share:0%}), {result.Handshakes:0} handshakes/s"));
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

        CpuGroup Give(string name, double cores, IEnumerable<int> processes)
        {
            var group = new CpuGroup(name);
            groups.Add(group);
            group.Limit(cores);
            group.Add(processes);
            return group;
        }
    }

    private static async Task<StormResult> MeasureAsync(IContestant contestant, string certificates, int seconds, CpuGroup storm)
    {
        await using var downloads = await EndlessDownloads.StartAsync(contestant.Port, Downloads);
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        double calm = await downloads.RateAsync(TimeSpan.FromSeconds(seconds));
        Task<double> storming = StormCrowd.RunAsync(contestant.Port, certificates, seconds + 2, storm);
        await Task.Delay(TimeSpan.FromSeconds(1));
        double stormy = await downloads.RateAsync(TimeSpan.FromSeconds(seconds));
        return new StormResult(calm, stormy, await storming);
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

    /// <param name="CalmRate">MB/s without the storm.</param>
    /// <param name="StormRate">MB/s during it.</param>
    /// <param name="Handshakes">The storm's connections that were answered, per second.</param>
    private sealed record StormResult(double CalmRate, double StormRate, double Handshakes)
    {
        public double Share => StormRate / CalmRate;
    }
}
