using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using CSsl.Bench.Load;
using CSsl.Bench.Servers;

namespace CSsl.Bench.Aggregation;

/// <summary>What a data silo's CPU is spent on under many clients: with each engine, with and without aggregation. The whole path, separate processes.</summary>
internal static class AggregationBenchmark
{
    private const int FullRecord = 1 << 14;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; each measures every variant once.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<int>("--seconds") { Description = "Seconds of load per variant and round.", DefaultValueFactory = _ => 4 };
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = _ => 64 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var command = new Command("aggregation", "CPU of a data silo per gigabyte and per million records: each engine, with and without aggregation.") { rounds, seconds, clients, output };
        command.SetAction(parsed => RunAsync(parsed.GetValue(rounds), parsed.GetValue(seconds), parsed.GetValue(clients), parsed.GetValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(int rounds, int seconds, int clients, string? output)
    {
        await using Site site = await Site.StartAsync();
        var variants = new List<(AggregationVariant Variant, Cssl Cluster)>();
        foreach (AggregationVariant variant in AggregationVariant.All)
            variants.Add((variant, await site.StartCsslAsync("up", $"{variants.Count}", [.. RsaCertificate(site), "--data", "1", .. variant.Settings])));

        var report = new AggregationReport(clients, seconds);
        var wrk = new Wrk(site.Folder("wrk"));
        foreach (AggregationLoad load in AggregationLoad.All)
        {
            foreach ((_, Cssl cluster) in variants)
                await wrk.RunAsync(cluster.Port, load.Path, load.Suite, clients, seconds);
            for (int round = 0; round < rounds; round++)
            {
                foreach ((AggregationVariant variant, Cssl cluster) in variants)
                {
                    AggregationResult result = await MeasureAsync(wrk, cluster, load, clients, seconds);
                    report.Add(load, variant, result);
                    Console.WriteLine($"{load.Name}, {variant.Name}: {result.CpuPerGigabyte:0.00} CPU-s/GB, {result.CpuPerMillionRecords:0.00} CPU-s per million records, {result.RecordsPerCall:0.0} records per call");
                }
            }
        }

        string page = report.Markdown();
        Console.WriteLine(page);
        if (output is not null)
            await File.WriteAllTextAsync(output, page);
        return 0;
    }

    private static async Task<AggregationResult> MeasureAsync(Wrk wrk, Cssl cluster, AggregationLoad load, int clients, int seconds)
    {
        IReadOnlyList<int> silos = cluster.DataSilos;
        double before = CpuTime.Of(silos);
        Task<long> running = wrk.RunAsync(cluster.Port, load.Path, load.Suite, clients, seconds);
        await Task.Delay(TimeSpan.FromSeconds(seconds * 0.75));
        double recordsPerCall = await RecordsPerCallAsync(cluster);
        long requests = await running;
        double cpu = CpuTime.Of(silos) - before;
        return new AggregationResult(
            cpu / (requests * (double)load.Bytes / 1e9),
            cpu / (requests * (double)((load.Bytes + FullRecord - 1) / FullRecord) / 1e6),
            requests / (double)seconds,
            recordsPerCall);
    }

    // Of the last second, while the load goes on.
    private static async Task<double> RecordsPerCallAsync(Cssl cluster)
    {
        using var client = new HttpClient();
        using JsonDocument status = (await client.GetFromJsonAsync<JsonDocument>(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{cluster.AdminPort}/status")))!;
        return status.RootElement.GetProperty("processes").EnumerateArray()
            .Where(static process => process.GetProperty("roles").EnumerateArray().Any(static role => role.GetString() == "Data"))
            .Max(static process => process.GetProperty("engine").GetProperty("recordsPerCall").GetDouble());
    }

    private static IEnumerable<string> RsaCertificate(Site site) =>
    [
        "--Certificates:1:Names=localhost",
        $"--Certificates:1:Certificate={Path.Combine(site.Certificates, "rsa.crt")}",
        $"--Certificates:1:Key={Path.Combine(site.Certificates, "rsa.key")}",
    ];
}
