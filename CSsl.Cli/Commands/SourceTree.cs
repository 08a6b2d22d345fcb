using CSsl.Hosting.Configuration;

namespace CSsl.Cli.Commands;

/// <summary>The source tree that this program was built in: some commands work there only.</summary>
internal static class SourceTree
{
    /// <summary>The folder of CSsl.sln.</summary>
    /// <param name="command">Who asks, for the message.</param>
    /// <exception cref="ConfigurationException">This program runs elsewhere.</exception>
    public static string Find(string command)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "cssl")) && File.Exists(Path.Combine(folder.FullName, "CSsl.sln")))
                return folder.FullName;
        }

        throw new ConfigurationException($"cssl {command} runs in a source tree, and there is none above {AppContext.BaseDirectory}");
    }
}
