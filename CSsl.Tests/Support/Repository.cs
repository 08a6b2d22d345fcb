namespace CSsl.Tests.Support;

/// <summary>Where this checkout keeps its sources and what was built from them.</summary>
internal static class Repository
{
    /// <summary>The folder of CSsl.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>"bin/Release/net10.0" or the like, in any project's folder: what the tests themselves were built as.</summary>
    private static string Output { get; } = Path.GetRelativePath(Root, AppContext.BaseDirectory).Split(Path.DirectorySeparatorChar, 2)[1];

    /// <summary>Whether these tests, and so what they run, were built as Release.</summary>
    public static bool IsRelease { get; } = Output.Split(Path.DirectorySeparatorChar).Contains("Release");

    /// <summary>The built main assembly of a project.</summary>
    public static string Assembly(string project) => Path.Combine(Root, project, Output, project + ".dll");

    /// <summary>The main assembly of a program, to run it: the one that <c>cssl up</c> runs, which is compiled ahead of time (ReadyToRun.targets).</summary>
    public static string Program(string project) => Path.Combine(Root, "CSsl.Cli", Output, project + ".dll");

    /// <summary>A script or source beside the end-to-end tests, run by another language's runtime.</summary>
    public static string ClientScript(string name) => Path.Combine(Root, "CSsl.EndToEnd.Tests", "Clients", name);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CSsl.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"no CSsl.sln above {AppContext.BaseDirectory}");
    }
}
