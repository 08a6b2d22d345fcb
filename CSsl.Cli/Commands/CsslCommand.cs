using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using CSsl.Hosting;

namespace CSsl.Cli.Commands;

/// <summary>The command line of <c>cssl</c>.</summary>
internal static class CsslCommand
{
    private const string Description = """
        C-SSL: an elastic TLS termination cluster. A TLS connection is a virtual actor: its socket stays at a gateway,
        its handshake runs wherever there is CPU for handshakes, its bytes are encrypted wherever there is CPU for bytes.

        Start here:
          cssl up                                a gateway, three silos and a sample origin on this machine
          curl --cacert .cssl/ca.crt https://127.0.0.1:8443/
          cssl status

        Exit codes: 0 success; 1 it did not work (nothing answers, a process could not be kept running);
        2 a wrong argument or configuration; 3 a port or the state folder is in use.
        """;

    /// <summary>The tree of commands.</summary>
    /// <remarks>Not a <see cref="RootCommand"/>: that one calls itself by the name of the assembly.</remarks>
    public static Command Create() => new("cssl", Description)
    {
        new HelpOption(),
        new VersionOption(),
        UpCommand.Create(),
        ServeCommand.Create(),
        StatusCommand.Create(),
        SessionsCommand.Create(),
        SessionCommand.Create(),
        DrainCommand.Create(),
        RolesCommand.Create(),
        EngineCommand.Create(),
        SiloCommands.Create(),
        DbCommand.Create(),
        CertsCommand.Create(),
        OriginCommand.Create(),
        PublishCommand.Create(),
        TestCommand.Create(),
    };

    /// <summary>Parses and runs a command line.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> InvokeAsync(string[] args)
    {
        var result = Create().Parse(args.Length == 0 ? ["--help"] : args);
        if (result.Errors.Count > 0 && result.Action is ParseErrorAction)
        {
            await Console.Error.WriteLineAsync($"cssl: {result.Errors[^1].Message} See {CommandPath(result)} --help.");
            return ExitCodes.BadConfiguration;
        }

        try
        {
            // Commands that run until a signal handle it themselves: stopping a cluster in order takes longer than the library would wait.
            return await result.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e)
        {
            return CsslHost.Report(e);
        }
    }

    /// <summary>"cssl silo add".</summary>
    internal static string CommandPath(ParseResult result)
    {
        var path = result.CommandResult.Command.Name;
        for (var above = result.CommandResult.Parent; above is CommandResult command; above = above.Parent)
            path = $"{command.Command.Name} {path}";
        return path;
    }
}
