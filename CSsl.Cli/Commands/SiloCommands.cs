using System.CommandLine;
using CSsl.Cli.Operations;
using CSsl.Cli.Status;
using CSsl.Cli.Up.Control;
using CSsl.Hosting;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl silo add</c> and <c>cssl silo remove</c>: a running <c>cssl up</c> grows and shrinks.</summary>
internal static class SiloCommands
{
    public static Command Create() => new("silo", "Adds silos to a running `cssl up`, and takes them out.") { Add(), Remove() };

    private static Command Add()
    {
        var roles = new Option<string>("--roles") { Description = "What it does: handshake, data, or handshake,data.", HelpName = "ROLES", DefaultValueFactory = static _ => "data" };
        var name = new Option<string?>("--name") { Description = "Its name. Default: the next number, such as data-3." };
        var command = new Command("add", "Starts another silo, and returns when it serves.") { roles, name };
        var target = new ClusterTarget();
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => AskAsync(
            target, result, new ControlRequest { Command = ControlRequest.Add, Roles = result.GetValue(roles), Name = result.GetValue(name) }, cancellationToken));
        return command;
    }

    private static Command Remove()
    {
        var silo = OperatorCommand.Silo();
        var timeout = OperatorCommand.Timeout();
        var force = new Option<bool>("--force") { Description = "Also when no silo of a role would be left, and when it does not drain in time." };
        var command = new Command("remove", "Drains a silo, then stops it.") { silo, timeout, force };
        var target = new ClusterTarget();
        target.AddTo(command);
        command.SetAction((result, cancellationToken) => AskAsync(
            target, result,
            new ControlRequest
            {
                Command = ControlRequest.Remove,
                Name = result.GetValue(silo),
                Force = result.GetValue(force),
                TimeoutSeconds = result.GetValue(timeout).TotalSeconds,
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> AskAsync(ClusterTarget target, ParseResult result, ControlRequest request, CancellationToken cancellationToken)
    {
        ControlAnswer answer;
        try
        {
            answer = await ControlClient.AskAsync(await target.SupervisorAsync(result, cancellationToken), request, cancellationToken);
        }
        catch (StatusException e)
        {
            answer = new ControlAnswer { Message = e.Message, ExitCode = ExitCodes.Failure };
        }

        if (answer.ExitCode == 0)
            Console.WriteLine(answer.Message);
        else
            await Console.Error.WriteLineAsync($"cssl: {answer.Message}");
        return answer.ExitCode;
    }
}
