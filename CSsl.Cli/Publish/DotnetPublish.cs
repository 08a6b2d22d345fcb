using System.Diagnostics;
using System.Text.RegularExpressions;

namespace CSsl.Cli.Publish;

/// <summary><c>dotnet publish</c> of the command line, which brings gateway and silo with it.</summary>
/// <remarks>Builds in a folder of its own, so that the builds of the source tree stay as they are.</remarks>
internal static partial class DotnetPublish
{
    /// <summary>Publishes into <paramref name="folder"/>.</summary>
    /// <exception cref="PublishException">It failed: which packages the feed lacks, or all that dotnet said.</exception>
    public static async Task RunAsync(string sourceTree, PublishOptions options, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", Arguments(sourceTree, options, folder)) { RedirectStandardOutput = true, RedirectStandardError = true };

        // No build server stays behind, and the text that is searched below is English.
        foreach (var (name, value) in new[] { ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_UI_LANGUAGE", "en"), ("DOTNET_NOLOGO", "1") })
            start.Environment[name] = value;

        using var dotnet = Process.Start(start)!;
        var output = dotnet.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = dotnet.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await dotnet.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            dotnet.Kill(entireProcessTree: true);
            throw;
        }

        if (dotnet.ExitCode != 0)
            throw new PublishException(Explain(options, await output + await error));
    }

    internal static IReadOnlyList<string> Arguments(string sourceTree, PublishOptions options, string folder) =>
    [
        "publish", Path.Combine(sourceTree, "CSsl.Cli"),
        "--configuration", "Release",
        "--runtime", options.Runtime,
        options.SelfContained ? "--self-contained" : "--no-self-contained",
        "-p:PublishDocumentationFiles=false",
        "--artifacts-path", Path.Combine(sourceTree, "artifacts", "publish"),
        "--output", folder,
        "--nologo", "--verbosity", "quiet",
    ];

    /// <summary>What to tell about a failure.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="log">All that dotnet said.</param>
    internal static string Explain(PublishOptions options, string log)
    {
        string[] missing = [.. MissingPackage().Matches(log).Select(static match => match.Groups["package"].Value).Distinct().Order(StringComparer.Ordinal)];
        if (missing.Length == 0)
            return $"dotnet publish failed:\n{log.Trim()}";

        var advice = options.SelfContained && Array.Exists(missing, static package => package.Contains(".Runtime.linux-", StringComparison.Ordinal))
            ? "leave out --self-contained, and install the ASP.NET Core runtime 10 where it is to run"
            : "see Directory.Packages.props for what is needed";
        return $"the package feed does not have {string.Join(", ", missing)}: {advice}";
    }

    /// <summary>NuGet: no package of that id, or none of that version.</summary>
    [GeneratedRegex(@"error NU110[123]: Unable to find (?:a stable )?package (?<package>[\w.-]*\w)")]
    private static partial Regex MissingPackage();
}
