using System.CommandLine;
using System.Text.Json;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Grains.Cluster;
using CSsl.Hosting;
using Spectre.Console;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl status</c>: the processes of a running cluster.</summary>
internal static class StatusCommand
{
    /// <summary>Wide enough for every column: what is piped into a file is not folded at 80.</summary>
    private const int WidthWithoutTerminal = 200;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON instead of a table." };
        var target = new ClusterTarget();
        var command = new Command("status", "Shows each process of a running cluster: name, pid, kind, roles (* the cluster decides about them), state, connections, handshakes/s, bytes/s, CPU in cores; and the last changes of roles with their reasons.") { json };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(target, result, result.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ClusterTarget target, ParseResult result, bool asJson, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new StatusClient(target.Admin(result));
            var status = await client.GetAsync(cancellationToken);
            if (asJson)
                Console.WriteLine(JsonSerializer.Serialize(status, StatusJson.Options));
            else
                Show(status, DateTimeOffset.UtcNow);
            return ExitCodes.Success;
        }
        catch (StatusException e)
        {
            await Console.Error.WriteLineAsync($"cssl: {e.Message}");
            return ExitCodes.Failure;
        }
    }

    /// <summary>Standard output: in colour on a terminal, plain and unfolded in a file.</summary>
    internal static IAnsiConsole Screen()
    {
        if (!Console.IsOutputRedirected)
            return AnsiConsole.Console;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = WidthWithoutTerminal;
        return console;
    }

    private static void Show(ClusterStatus status, DateTimeOffset now)
    {
        var console = Screen();
        console.Write(StatusTable.Render(status, now));
        if (EngineTable.Render(status) is { } engines)
            console.Write(engines);
        foreach (var note in StatusTable.Notes(status, now))
            Console.WriteLine(note);
    }
}
