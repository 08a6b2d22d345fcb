using System.CommandLine;
using System.Globalization;
using System.Text;
using CSsl.Bench.Chaos;
using CSsl.Bench.Reports;
using CSsl.Bench.Servers;
using CSsl.Grains.Cluster;

namespace CSsl.Bench.Idle;

/// <summary>What a sleeping connection costs: thousands of TLS connections that have made a request and fall asleep, the memory of gateways and data silos then, and how
/// fast a sample of them wakes.</summary>
internal static class IdleBenchmark
{
    private const int Sample = 1000;
    private const int Lists = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Command()
    {
        var connections = new Option<int>("--connections") { Description = "Connections per gateway; a process may open 20,000 files on many machines.", DefaultValueFactory = _ => 15_000 };
        var gateways = new Option<int>("--gateways") { Description = "Gateways that share the port.", DefaultValueFactory = _ => 1 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var command = new Command("idle", "Memory of sleeping connections, and how fast they wake.") { connections, gateways, output };
        command.SetAction(parsed => RunAsync(parsed.GetValue(connections), parsed.GetValue(gateways), parsed.GetValue(output)));
        return command;
    }

    private static async Task<int> RunAsync(int connections, int gateways, string? output)
    {
        await using Site site = await Site.StartAsync();
        string authority = Path.Combine(site.Certificates, "ca.crt");
        var crowds = new List<ServerProcess>();
        try
        {
            Cssl cluster = await site.StartCsslAsync("up", "up", "--data", "2", "--gateways", $"{gateways}");
            using var admin = new ClusterAdmin(cluster.AdminPort);

            // One of each first: what is made once is not the price of a connection.
            await using (ServerProcess few = await IdleCrowd.StartAsync(cluster.Port, 100 * gateways, 0, authority))
                await AsleepAsync(admin, 100 * gateways);
            await AsleepAsync(admin, 0);
            IReadOnlyList<ProcessStatus> before = await admin.ProcessesAsync();

            for (int i = 0; i < gateways; i++)
                crowds.Add(await IdleCrowd.StartAsync(cluster.Port, connections, i + 1, authority));
            await AsleepAsync(admin, connections * gateways);
            IReadOnlyList<ProcessStatus> after = await admin.ProcessesAsync();

            var lists = new List<double>();
            for (int i = 0; i < Lists; i++)
                lists.Add(await admin.ListSessionsAsync());
            var wakes = new List<double>();
            foreach (ServerProcess crowd in crowds)
                wakes.AddRange(await IdleCrowd.WakeAsync(crowd, Sample / gateways));
            string page = Page(connections * gateways, gateways, before, after, [.. lists.Order()], [.. wakes.Order()]);
            Console.WriteLine(page);
            if (output is not null)
                await File.WriteAllTextAsync(output, page);
        }
        finally
        {
            foreach (ServerProcess crowd in crowds)
                await crowd.DisposeAsync();
        }

        return 0;
    }

    private static async Task AsleepAsync(ClusterAdmin admin, int connections)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            IReadOnlyList<ProcessStatus> gateways = [.. (await admin.ProcessesAsync()).Where(static process => process.Kind == "gateway")];
            if (gateways.Sum(static gateway => gateway.Connections) == connections && gateways.Sum(static gateway => gateway.Sessions?.Asleep ?? 0) == connections)
                return;
            if (deadline.IsCancellationRequested)
                throw new BenchException($"not all of {connections} connections fell asleep: {string.Join(", ", gateways.Select(static gateway => $"{gateway.Name} has {gateway.Connections}, {gateway.Sessions?.Asleep} asleep"))}");
            await Task.Delay(500);
        }
    }

    private static string Page(int connections, int gateways, IReadOnlyList<ProcessStatus> before, IReadOnlyList<ProcessStatus> after, double[] lists, double[] wakes)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Sleeping connections: {connections:N0} over {gateways} gateway{(gateways == 1 ? "" : "s")}

            `dotnet run --project CSsl.Bench -c Release -- idle`: TLS 1.3 connections, each with one request done, until all are asleep (`Silo:HibernateAfter` 5 s). Memory is the resident set of the process, before (after 100 connections per gateway
            had come and gone) and with all of them asleep. Then {wakes.Length:N0} of them, one after the other, send another request.


            """);
        foreach (string line in Machine.Describe())
            text.Append(CultureInfo.InvariantCulture, $"- {line}\n");
        text.Append("\n| process | connections | resident before | resident with all asleep | per connection |\n|---|---:|---:|---:|---:|\n");
        foreach (ProcessStatus process in after)
        {
            ProcessStatus earlier = before.Single(other => other.Name == process.Name);
            long grown = process.ResidentBytes - earlier.ResidentBytes;
            text.Append(CultureInfo.InvariantCulture, $"| {process.Name} | {process.Connections:N0} | {earlier.ResidentBytes / 1048576.0:0.0} MiB | {process.ResidentBytes / 1048576.0:0.0} MiB | ");
            text.Append(process.Kind == "gateway" ? string.Create(CultureInfo.InvariantCulture, $"{grown / 1024.0 / Math.Max(1, process.Connections):0.0} KiB |\n") : "|\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\nFrom the request of a sleeping connection to the first byte of its answer: median {wakes.Median():0.0} ms, p99 {Statistics.Quantile(wakes, 0.99):0.0} ms, longest {wakes[^1]:0.0} ms.\n");
        text.Append(CultureInfo.InvariantCulture, $"\nA list of the 100 sessions with the most bytes (`cssl sessions --top bytes`, without the start of that process): median {lists.Median():0.0} ms, longest {lists[^1]:0.0} ms.\n");
        return text.ToString();
    }
}
