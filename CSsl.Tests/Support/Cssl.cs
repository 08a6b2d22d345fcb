namespace CSsl.Tests.Support;

/// <summary>The built command line, run as its users run it.</summary>
internal static class Cssl
{
    /// <summary>Starts `cssl …`.</summary>
    public static Tool Start(IEnumerable<string> arguments, TimeSpan? deadline = null, IReadOnlyDictionary<string, string>? environment = null, bool mergeError = false, string? openFiles = null)
    {
        string[] command = [.. openFiles is null ? (string[])[] : ["prlimit", $"--nofile={openFiles}"], "dotnet", Repository.Program("CSsl.Cli"), .. arguments];
        return Tool.Start(command[0], command[1..], deadline: deadline, environment: environment, mergeError: mergeError);
    }

    /// <summary>Runs `cssl …` to its end.</summary>
    public static async Task<ToolResult> RunAsync(IEnumerable<string> arguments, TimeSpan? deadline = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using Tool tool = Start(arguments, deadline, environment);
        tool.CloseInput();
        return await tool.ExitAsync();
    }
}
