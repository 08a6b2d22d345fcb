using System.Globalization;

namespace CSsl.Bench;

/// <summary>CPU that processes have used, as Linux accounts it.</summary>
internal static class CpuTime
{
    /// <summary>USER_HZ, in which /proc tells times: 100 on every Linux that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>User and system time of the processes so far, in seconds (10 ms steps each).</summary>
    /// <exception cref="BenchException">One of them has ended.</exception>
    public static double Of(IEnumerable<int> processIds) => processIds.Sum(Of);

    /// <summary>A process and all below it.</summary>
    public static IReadOnlyList<int> Tree(int processId)
    {
        ILookup<int, int> children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) ? id : 0)
            .Where(id => id > 0)
            .ToLookup(id => Fields(id) is { } fields ? int.Parse(fields[1], CultureInfo.InvariantCulture) : -1);
        List<int> tree = [processId];
        for (int i = 0; i < tree.Count; i++)
            tree.AddRange(children[tree[i]]);
        return tree;
    }

    /// <summary>The command line of a process, its arguments separated by spaces.</summary>
    public static string CommandLine(int processId) => File.ReadAllText($"/proc/{processId}/cmdline").Replace('\0', ' ').Trim();

    private static double Of(int processId)
    {
        string[] fields = Fields(processId) ?? throw new BenchException($"process {processId} ended during the measurement");
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>The fields of /proc/PID/stat that follow the name: 0 is the state, 1 the parent, 11 utime, 12 stime.</summary>
    private static string[]? Fields(int processId)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // it has ended
        }
    }
}
