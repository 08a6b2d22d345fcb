using System.CommandLine;
using System.Text.Json;
using CSsl.Cli.Operations;
using CSsl.Cli.Sessions;
using CSsl.Grains.Data;
using CSsl.Hosting;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl session show|end|move</c>: one session, awake or asleep.</summary>
internal static class SessionCommand
{
    public static Command Create() => new("session", "Shows, ends or moves one session, awake or asleep (cssl sessions shows their ids).") { CreateShow(), CreateEnd(), CreateMove() };

    /// <summary>Runs a command about sessions, and reports what goes wrong in one line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static Task<int> RunAsync(ClusterTarget target, ParseResult result, Func<SessionClient, Task> act) => OperatorCommand.RunAsync(async () =>
    {
        using var client = new SessionClient(target.Admin(result));
        await act(client);
        return ExitCodes.Success;
    });

    private static Command CreateShow()
    {
        var id = Id();
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var target = new ClusterTarget();
        var command = new Command("show", "Shows a session: its client, what TLS agreed on, its silo and gateway, its age and bytes.") { id, json };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(target, result, async client =>
        {
            var session = await client.FindAsync(result.GetValue(id), cancellationToken) ?? throw new OrderException($"there is no session {result.GetValue(id)}", ExitCodes.BadConfiguration);
            if (result.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(session, SessionClient.Json));
            else
                Console.WriteLine(string.Join('\n', SessionView.Describe(session, DateTimeOffset.UtcNow)));
        }));
        return command;
    }

    private static Command CreateEnd()
    {
        var id = Id();
        var wait = OperatorCommand.Wait("it has ended");
        var timeout = OperatorCommand.Timeout();
        var target = new ClusterTarget();
        var command = new Command("end", "Lets a session finish the request under way, and ends it with close_notify.") { id, wait, timeout };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(target, result, async client =>
        {
            var session = result.GetValue(id);
            await client.EndAsync(session, cancellationToken);
            if (result.GetValue(wait))
                await client.WaitAsync(session, static left => left is null, result.GetValue(timeout), cancellationToken);
            Console.WriteLine(result.GetValue(wait) ? $"{session} has ended" : $"{session} ends");
        }));
        return command;
    }

    private static Command CreateMove()
    {
        var id = Id();
        var to = new Option<string>("--to") { Description = "The data silo that is to serve it.", HelpName = "SILO", Required = true };
        var wait = OperatorCommand.Wait("it is there");
        var timeout = OperatorCommand.Timeout();
        var target = new ClusterTarget();
        var command = new Command("move", """
            Has a session go on at another data silo, and its client notices nothing: at once if it sleeps, if no request is under way, or in the middle of a download that another silo can
            continue (a strong validator and a known length); or else when the request under way is done. Sessions that speak HTTP/2 or WebSocket can't be moved.
            """)
        {
            id, to, wait, timeout,
        };
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(target, result, async client =>
        {
            var (session, silo) = (result.GetValue(id), result.GetValue(to)!);
            var outcome = await client.MoveAsync(session, silo, cancellationToken);
            if (result.GetValue(wait))
                await client.WaitAsync(session, moved => moved?.Silo == silo, result.GetValue(timeout), cancellationToken);
            Console.WriteLine(Describe(session, silo, result.GetValue(wait) ? SessionMove.AlreadyThere : outcome));
        }));
        return command;
    }

    private static string Describe(Guid session, string silo, SessionMove outcome) => outcome switch
    {
        SessionMove.AlreadyThere => $"{session} is at {silo}",
        SessionMove.AtCheckpoint => $"{session} moves to {silo} when the request under way is done",
        _ => $"{session} moves to {silo}",
    };

    private static Argument<Guid> Id()
    {
        var id = new Argument<Guid>("id") { Description = "The session's id." };
        id.CustomParser = static result =>
        {
            if (Guid.TryParse(result.Tokens[0].Value, out var parsed))
                return parsed;
            result.AddError($"'{result.Tokens[0].Value}' is not the id of a session.");
            return default;
        };
        return id;
    }
}
