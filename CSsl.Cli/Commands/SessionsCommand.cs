using System.CommandLine;
using System.Text.Json;
using CSsl.Cli.Operations;
using CSsl.Cli.Sessions;
using CSsl.Grains.Data;
using Spectre.Console;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl sessions</c>: the sessions of the cluster, awake and asleep.</summary>
internal static class SessionsCommand
{
    private const int WidthWithoutTerminal = 240;

    public static Command Create()
    {
        var silo = new Option<string?>("--silo") { Description = "Only those that this silo serves.", HelpName = "NAME" };
        var client = new Option<string?>("--client") { Description = "Only those of this address or network, such as 10.0.0.7 or 10.0.0.0/8.", HelpName = "IP" };
        var name = new Option<string?>("--name") { Description = "Only those for this server name (SNI).", HelpName = "SNI" };
        var top = new Option<string>("--top") { Description = "Which come first: those with the most bytes, or the oldest.", HelpName = "bytes|age", DefaultValueFactory = static _ => "age" };
        top.AcceptOnlyFromAmong("bytes", "age");
        var limit = CommonOptions.Count("--limit", "At most so many.", 1, SessionQuery.MaxLimit, new SessionQuery().Limit);
        var json = new Option<bool>("--json") { Description = "Print JSON instead of a table." };
        var target = new ClusterTarget();
        var command = new Command("sessions", """
            Shows clients' TLS sessions, whatever gateway has their socket: id, client, server name, protocol, the silo that serves it (or that it is asleep), gateway, age, and bytes of records
            from and to the client.
            """)
        {
            silo, client, name, top, limit, json,
        };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => SessionCommand.RunAsync(target, result, async sessions =>
        {
            var query = new SessionQuery
            {
                Silo = result.GetValue(silo),
                Client = result.GetValue(client),
                ServerName = result.GetValue(name),
                Order = result.GetValue(top) == "bytes" ? SessionOrder.Bytes : SessionOrder.Age,
                Limit = result.GetValue(limit),
            };
            Show(await sessions.ListAsync(query, cancellationToken), result.GetValue(json));
        }));
        return command;
    }

    private static void Show(SessionList list, bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(list, SessionClient.Json));
            return;
        }

        var console = AnsiConsole.Console;
        if (Console.IsOutputRedirected)
        {
            console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
            console.Profile.Width = WidthWithoutTerminal;
        }

        if (list.Sessions.Count > 0)
            console.Write(SessionView.Render(list, DateTimeOffset.UtcNow));
        foreach (var note in SessionView.Notes(list))
            Console.WriteLine(note);
    }
}
