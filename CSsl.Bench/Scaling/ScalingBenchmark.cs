using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CSsl.Bench.Load;
using CSsl.Bench.Reports;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Scaling;

/// <summary>Handshakes per second of 1 to 4 handshake silos, each with the same small share of the CPU.</summary>
internal static class ScalingBenchmark
{
    private const int MostSilos = 4;
    private const int Clients = 96;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    public static Command Command()
    {
        var cores = new Option<double>("--cores") { Description = "CPU of each handshake silo.", DefaultValueFactory = _ => 0.08 };
        var seconds = new Option<int>("--seconds") { Description = "Seconds of load per measurement.", DefaultValueFactory = _ => 6 };
        var rounds = new Option<int>("--rounds") { Description = "Measurements of each number of silos.", DefaultValueFactory = _ => 3 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var command = new Command("scaling", "Handshakes/s of 1 to 4 handshake silos with the same small CPU each.") { cores, seconds, rounds, output };
        command.SetAction(parsed => RunAsync(parsed.GetValue(cores), parsed.GetValue(seconds), parsed.GetValue(rounds), parsed.GetValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(double cores, int seconds, int rounds, string? output)
    {
        (double Rate, double Cpu)[] measured = await MeasureAsync(cores, seconds, rounds);
        string page = Page(measured, cores, seconds, rounds);
        Console.WriteLine(page);
        if (output is not null)
            await File.WriteAllTextAsync(output, page);
        return 0;
    }

    /// <summary>One cluster, so that every number of silos finds the same compiled code: those that are not to take part are drained.</summary>
    /// <returns>Handshakes per second, and cores of all handshake silos, the drained ones too.</returns>
    private static async Task<(double Rate, double Cpu)[]> MeasureAsync(double cores, int seconds, int rounds)
    {
        await using Site site = await Site.StartAsync();
        Cssl cluster = await site.StartCsslAsync("up", "up", "--handshake", $"{MostSilos}", "--data", "1", "--Limits:SourceHandshakeRate=0");
        using X509Certificate2 leaf = site.LoadCertificate("ecdsa.crt");
        var load = new Handshakes(cluster.Port, leaf.RawData, "/bytes/1024", 1024);
        await load.RunForAsync(WarmUp, Clients);

        List<CpuGroup> groups = [];
        try
        {
            foreach (int silo in cluster.HandshakeSilos)
            {
                var group = new CpuGroup($"silo-{silo}");
                groups.Add(group);
                group.Limit(cores);
                group.Add([silo]);
            }

            List<(double Rate, double Cpu)>[] all = [.. Enumerable.Range(0, MostSilos).Select(static _ => new List<(double Rate, double Cpu)>())];
            for (int round = 0; round <= rounds; round++)
            {
                for (int silos = 1; silos <= MostSilos; silos++)
                {
                    await ServeAsync(cluster, silos, round);
                    await load.RunForAsync(Settling, Clients);
                    double before = CpuTime.Of(cluster.HandshakeSilos);
                    double rate = await load.RunForAsync(TimeSpan.FromSeconds(seconds), Clients) / (double)seconds;
                    double cpu = (CpuTime.Of(cluster.HandshakeSilos) - before) / seconds;
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{silos} silos: {rate:0} handshakes/s, {cpu:0.00} cores"));

                    // The first round is a rehearsal: with so little CPU the rest of the compilation takes that long.
                    if (round > 0)
                        all[silos - 1].Add((rate, cpu));
                }
            }

            return [.. all.Select(static one => (one.Select(static each => each.Rate).Median(), one.Select(static each => each.Cpu).Median()))];
        }
        finally
        {
            groups.ForEach(static group => group.Dispose());
        }
    }

    /// <summary>So many of the handshake silos serve, the others are drained. Which of them is the first changes from round to round: one of them has the cluster grain, and less time for handshakes.</summary>
    private static async Task ServeAsync(Cssl cluster, int silos, int first)
    {
        for (int i = 0; i < MostSilos; i++)
        {
            string name = $"handshake-{((first + i) % MostSilos) + 1}";
            await cluster.OperateAsync(i < silos ? ["drain", name, "--off", "--wait"] : ["drain", name, "--wait"]);
        }
    }

    private static string Page((double Rate, double Cpu)[] measured, double cores, int seconds, int rounds)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Handshakes per second by handshake silos

            `dotnet run --project CSsl.Bench -c Release -- scaling`: each handshake silo has {cores * 100:0.#} % of a core (control group), gateway, data silo and clients what is left of the machine. {Clients} clients make one connection after the other:
            a full TLS 1.3 handshake with P-256, one GET of 1 KB, an orderly end.
            Silos that don't take part are drained; each round begins with another one. Median of {rounds} rounds after one that does not count, each with every number of silos for {seconds} seconds.


            """);
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append("\n| handshake silos | handshakes/s | of one silo | efficiency | CPU of all four, cores |\n|---:|---:|---:|---:|---:|\n");
        for (int i = 0; i < measured.Length; i++)
        {
            double growth = measured[i].Rate / measured[0].Rate;
            text.Append(CultureInfo.InvariantCulture, $"| {i + 1} | {measured[i].Rate:0} | {growth:0.00} | {growth / (i + 1):0%} | {measured[i].Cpu:0.00} |\n");
        }

        return text.ToString();
    }
}
