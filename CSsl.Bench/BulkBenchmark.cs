using System.CommandLine;
using CSsl.Bench.Load;
using CSsl.Bench.Reports;

namespace CSsl.Bench;

/// <summary>CPU per gigabyte downloaded, by several clients, in objects of one size.</summary>
internal static class BulkBenchmark
{
    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; each measures every contestant once.", DefaultValueFactory = _ => 5 };
        var size = new Option<int>("--size") { Description = "Bytes of an object.", DefaultValueFactory = _ => 1 << 20 };
        var total = new Option<long>("--total") { Description = "Bytes per contestant and round.", DefaultValueFactory = _ => 2L << 30 };
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = _ => 8 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var settings = new Argument<string[]>("settings") { Description = "Settings of C-SSL: --Section:Key=value", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("bulk", "CPU per gigabyte, against nginx.") { rounds, size, total, clients, output, settings };
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(rounds), parsed.GetValue(size), parsed.GetValue(total), parsed.GetValue(clients), parsed.GetValue(output), parsed.GetValue(settings) ?? []));
        return command;
    }

    private static async Task<int> RunAsync(int rounds, int size, long total, int clients, string? output, string[] settings)
    {
        int requests = (int)Math.Max(1, total / size);
        int connections = Math.Min(clients, requests);
        await using Arena arena = await Arena.StartAsync(withStaticFile: false, settings);

        async Task<double> LoadAsync(Servers.IContestant contestant)
        {
            await Downloads.RunAsync(contestant.Port, $"/bytes/{size}", connections, requests);
            return (double)requests * size / 1e9;
        }

        foreach (Servers.IContestant contestant in arena.Contestants)
            await LoadAsync(contestant);
        IReadOnlyList<Series> results = await arena.MeasureAsync(
            rounds, LoadAsync, (name, round) => Console.WriteLine($"{name}: {round.ServerPerUnit:0.00} CPU-s per GB, {round.UnitsPerSecond:0.00} GB/s"));

        var report = new Report(
            $"CPU per gigabyte in objects of {size:N0} bytes",
            $"Downloads over TLS 1.3 (TLS_AES_128_GCM_SHA256) and HTTP/1.1 by `h2load` with {connections} connections that are kept, {requests:N0} requests per contestant and round, "
            + "after one round of warming up. CPU is user and system time of all processes of a contestant; the origin, the same for all, is reported apart; the clients don't count.",
            "GB",
            Scale: 1);
        report.Print(results);
        if (output is not null)
            await report.WriteAsync(output, results);
        return 0;
    }
}
