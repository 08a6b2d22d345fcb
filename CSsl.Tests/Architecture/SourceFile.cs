using CSsl.Tests.Support;

namespace CSsl.Tests.Architecture;

/// <summary>A C# file of this repository, as written by hand (nothing generated).</summary>
internal sealed record SourceFile(string Path, string[] Lines)
{
    /// <summary>Projects that are shipped.</summary>
    public static readonly string[] ProductProjects = ["CSsl.Tls", "CSsl.Link", "CSsl.Database", "CSsl.Grains.Contracts", "CSsl.Hosting", "CSsl.Grains", "CSsl.Silo", "CSsl.Gateway", "CSsl.Cli"];

    /// <summary>Projects that are not.</summary>
    public static readonly string[] OtherProjects = ["CSsl.Tests", "CSsl.EndToEnd.Tests", "CSsl.Bench"];

    /// <summary>All files of the given projects; paths are relative to the root.</summary>
    public static IEnumerable<SourceFile> Of(params string[] projects) =>
        from project in projects
        from path in Directory.EnumerateFiles(System.IO.Path.Combine(Repository.Root, project), "*.cs", SearchOption.AllDirectories)
        let relative = System.IO.Path.GetRelativePath(Repository.Root, path)
        where !relative.Contains("/obj/", StringComparison.Ordinal) && !relative.Contains("/bin/", StringComparison.Ordinal)
        orderby relative
        select new SourceFile(relative, File.ReadAllLines(path));

    /// <summary>"path:line: text" of each line that matches.</summary>
    public IEnumerable<string> Where(Func<string, bool> predicate)
    {
        for (int i = 0; i < Lines.Length; i++)
        {
            if (predicate(Lines[i]))
                yield return $"{Path}:{i + 1}: {Lines[i].Trim()}";
        }
    }
}
