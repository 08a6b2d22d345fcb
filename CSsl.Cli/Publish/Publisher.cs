using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Publish;

/// <summary>
/// Makes the folder that is copied to the machines of a cluster:
/// <code>
/// bin/         gateway, silo, command line, and all that they load
/// cssl         the command line
/// systemd/     units, and the users they run as
/// examples/    a configuration per role
/// db/          the tables, for who makes them by hand
/// </code>
/// It is made beside its place and moved there when it is whole.
/// </summary>
internal static class Publisher
{
    /// <summary>What is copied from the source tree: from, to.</summary>
    private static readonly (string From, string To)[] Extras = [("packaging/systemd", "systemd"), ("packaging/examples", "examples"), ("db", "db")];

    /// <exception cref="ConfigurationException">The output folder holds something else.</exception>
    /// <exception cref="PublishException">It failed: says why.</exception>
    public static async Task RunAsync(string sourceTree, PublishOptions options, CancellationToken cancellationToken)
    {
        var output = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Output));
        RequireOurs(output);
        var stage = $"{output}.{Environment.ProcessId}.new";
        try
        {
            Directory.CreateDirectory(stage);
            await DotnetPublish.RunAsync(sourceTree, options, Path.Combine(stage, "bin"), cancellationToken);
            foreach (var (from, to) in Extras)
                Copy(Path.Combine(sourceTree, from), Path.Combine(stage, to));
            File.Copy(Path.Combine(sourceTree, "packaging", "cssl"), Path.Combine(stage, "cssl"));

            if (Directory.Exists(output))
                Directory.Delete(output, recursive: true);
            Directory.Move(stage, output);
        }
        finally
        {
            if (Directory.Exists(stage))
                Directory.Delete(stage, recursive: true);
        }
    }

    /// <summary>Only a folder that is empty or was made here is ever replaced.</summary>
    internal static void RequireOurs(string output)
    {
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any() && !File.Exists(Path.Combine(output, "bin", "CSsl.Gateway.dll"))))
            throw new ConfigurationException($"{output} is there and was not made by cssl publish: name another folder with --output");
    }

    /// <summary>A folder with all that is in it; modes are kept.</summary>
    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }
}

/// <summary>Publishing did not work; the message says why.</summary>
internal sealed class PublishException(string message) : Exception(message);

/// <summary>What <c>cssl publish</c> is to make.</summary>
/// <param name="Runtime">Operating system and processor: one of <see cref="Runtimes"/>.</param>
/// <param name="SelfContained">With the .NET runtime; without, the machine needs the ASP.NET Core runtime 10.</param>
/// <param name="Output">The folder to make.</param>
internal sealed record PublishOptions(string Runtime, bool SelfContained, string Output)
{
    public static readonly string[] Runtimes = ["linux-x64", "linux-arm64"];
}
