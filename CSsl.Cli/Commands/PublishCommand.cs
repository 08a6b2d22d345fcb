using System.CommandLine;
using System.Runtime.InteropServices;
using CSsl.Cli.Publish;
using CSsl.Hosting;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl publish</c>: the folder that is copied to the machines of a cluster.</summary>
internal static class PublishCommand
{
    private static readonly Option<string> Runtime = Choice("--runtime", "What it is to run on.", PublishOptions.Runtimes, RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64");
    private static readonly Option<bool> SelfContained = new("--self-contained") { Description = "With the .NET runtime. Without, the machine needs the ASP.NET Core runtime 10." };
    private static readonly Option<string?> Output = new("--output") { Description = "The folder to make. Default: artifacts/cssl-RUNTIME of the source tree.", HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command("publish", """
            Makes a folder with gateway, silo and command line, systemd units, an example configuration per role and the
            database scripts, to be copied to the machines of a cluster. Runs in a source tree. See docs/operations.md.
            """)
        {
            Runtime, SelfContained, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var tree = SourceTree.Find("publish");
        var runtime = result.GetValue(Runtime)!;
        var options = new PublishOptions(runtime, result.GetValue(SelfContained), result.GetValue(Output) ?? Path.Combine(tree, "artifacts", $"cssl-{runtime}"));
        try
        {
            await Publisher.RunAsync(tree, options, cancellationToken);
        }
        catch (Exception e) when (e is PublishException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"cssl: {e.Message}");
            return ExitCodes.Failure;
        }

        Console.WriteLine($"{Path.GetFullPath(options.Output)}: {options.Runtime}, {(options.SelfContained ? "self-contained" : "needs the ASP.NET Core runtime 10")}");
        return ExitCodes.Success;
    }

    private static Option<string> Choice(string name, string description, string[] values, string defaultValue)
    {
        var option = new Option<string>(name) { Description = description, HelpName = string.Join("|", values), DefaultValueFactory = _ => defaultValue };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
