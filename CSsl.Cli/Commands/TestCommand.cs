using System.CommandLine;
using System.Diagnostics;

namespace CSsl.Cli.Commands;

/// <summary><c>cssl test</c>: the launcher in the source tree does it, because it builds what it runs.</summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var arguments = new Argument<string[]>("arguments") { Description = "Passed to dotnet test, such as --filter Records", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("test", "Builds and runs the tests (in a source tree), after installing the clients they use where that is allowed.") { arguments };
        command.SetAction((result, cancellationToken) => RunAsync(result.GetValue(arguments) ?? [], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Path.Combine(SourceTree.Find("test"), "cssl")) { UseShellExecute = false };
        start.ArgumentList.Add("test");
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        using var launcher = Process.Start(start)!;
        await launcher.WaitForExitAsync(cancellationToken);
        return launcher.ExitCode;
    }
}
