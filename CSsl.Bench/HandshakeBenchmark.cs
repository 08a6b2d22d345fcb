using System.CommandLine;
using CSsl.Bench.Load;
using CSsl.Bench.Reports;
using CSsl.Bench.Servers;

namespace CSsl.Bench;

/// <summary>CPU per full handshake with one GET of 1 KB: P-256, TLS 1.3, a new connection each, no resumption.</summary>
internal static class HandshakeBenchmark
{
    private const string Path = "/bytes/1024";

    private const int BodyBytes = 1024;

    /// <summary>Connections of one contestant before the next has its turn, while warming up.</summary>
    private const int WarmUpStep = 5000;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; each measures every contestant once.", DefaultValueFactory = _ => 9 };
        var connections = new Option<int>("--connections") { Description = "Connections per contestant and round.", DefaultValueFactory = _ => 3000 };
        var clients = new Option<int>("--clients") { Description = "Clients at once.", DefaultValueFactory = _ => 16 };
        var warmUp = new Option<int>("--warm-up") { Description = "Connections per contestant before the first round: the run-time compiles what is hot while it serves.", DefaultValueFactory = _ => 40_000 };
        var output = new Option<string?>("--output") { Description = "Markdown file to write.", HelpName = "FILE" };
        var settings = new Argument<string[]>("settings") { Description = "Settings of C-SSL: --Section:Key=value", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("handshake", "CPU per full handshake with one GET of 1 KB, against nginx.") { rounds, connections, clients, warmUp, output, settings };
        command.SetAction(parsed => RunAsync(
            parsed.GetValue(rounds), parsed.GetValue(connections), parsed.GetValue(clients), parsed.GetValue(warmUp), parsed.GetValue(output), parsed.GetValue(settings) ?? []));
        return command;
    }

    private static async Task<int> RunAsync(int rounds, int connections, int clients, int warmUp, string? output, string[] settings)
    {
        await using Arena arena = await Arena.StartAsync(withStaticFile: true, settings);
        await WarmUpAsync(arena, warmUp, clients);
        IReadOnlyList<Series> results = await arena.MeasureAsync(
            rounds,
            async contestant =>
            {
                await LoadAsync(arena, contestant, connections, clients);
                return connections;
            },
            (name, round) => Console.WriteLine($"{name}: {round.ServerPerUnit * 1e6:0} µs per handshake, {round.UnitsPerSecond:0}/s"));

        var report = new Report(
            "CPU per handshake",
            $"A full TLS 1.3 handshake (P-256 certificate, TLS_AES_128_GCM_SHA256, no resumption) and one GET of 1 KB on a new connection each: "
            + $"{connections:N0} connections by {clients} clients at once, per contestant and round, after {warmUp:N0} connections of warming up. "
            + "CPU is user and system time of all processes of a contestant (for C-SSL: `cssl` itself, gateway and silos; for nginx: master and workers); "
            + "the origin, the same for all, is reported apart; the clients don't count.",
            "handshake",
            Scale: 1e6);
        report.Print(results);
        if (output is not null)
            await report.WriteAsync(output, results);
        return 0;
    }

    private static async Task WarmUpAsync(Arena arena, int connections, int clients)
    {
        for (int done = 0; done < connections; done += WarmUpStep)
        {
            Console.WriteLine($"warming up: {done} of {connections}");
            foreach (IContestant contestant in arena.Contestants)
                await LoadAsync(arena, contestant, Math.Min(WarmUpStep, connections - done), clients);
        }
    }

    private static Task LoadAsync(Arena arena, IContestant contestant, int connections, int clients)
        => new Handshakes(contestant.Port, arena.Certificate, Path, BodyBytes).RunAsync(connections, clients);
}
