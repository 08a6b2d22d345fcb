using System.Globalization;
using System.Runtime.InteropServices;

namespace CSsl.Tests.Support;

/// <summary>What Linux tells of a process, and signals to it.</summary>
internal static partial class ProcFs
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>Resident memory in bytes; 0 when the process is gone.</summary>
    public static long ResidentBytes(int processId)
    {
        foreach (string line in ReadLines(processId, "status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }

        return 0;
    }

    /// <summary>Runs (a zombie does not).</summary>
    public static bool IsAlive(int processId) => Stat(processId) is { } stat && stat.State != 'Z' && stat.State != 'X';

    /// <summary>The processes that it started, and those that they started.</summary>
    public static IReadOnlyList<int> Descendants(int processId)
    {
        ILookup<int, int> children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int id) ? id : 0)
            .Where(id => id > 0)
            .Select(id => (Id: id, Stat: Stat(id)))
            .Where(process => process.Stat is not null)
            .ToLookup(process => process.Stat!.Value.Parent, process => process.Id);

        List<int> found = [.. children[processId]];
        for (int i = 0; i < found.Count; i++)
            found.AddRange(children[found[i]]);
        return found;
    }

    /// <summary>Sends a signal.</summary>
    /// <exception cref="InvalidOperationException">There is no such process.</exception>
    public static void Signal(int processId, int signal)
    {
        if (Kill(processId, signal) != 0)
            throw new InvalidOperationException($"kill -{signal} {processId}: errno {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>State and parent, or null when there is no such process.</summary>
    private static (char State, int Parent)? Stat(int processId)
    {
        // "pid (name, which may hold spaces and parentheses) S ppid …"
        string[] lines = ReadLines(processId, "stat");
        if (lines.Length == 0)
            return null;

        string[] fields = lines[0][(lines[0].LastIndexOf(')') + 2)..].Split(' ');
        return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
    }

    private static string[] ReadLines(int processId, string file)
    {
        try
        {
            return File.ReadAllLines($"/proc/{processId}/{file}");
        }
        catch (IOException)
        {
            return []; // it ended before or while it was read
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
