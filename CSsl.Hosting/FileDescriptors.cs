using System.Globalization;

namespace CSsl.Hosting;

/// <summary>How many file descriptors this process may have open: RLIMIT_NOFILE (getrlimit(2)).</summary>
/// <remarks>The .NET runtime raises the soft limit to the hard one before the first line of ours runs.</remarks>
public static class FileDescriptors
{
    /// <summary>The limit; <see cref="int.MaxValue"/> where there is none, or none that we know how to ask for.</summary>
    public static int Limit => OperatingSystem.IsLinux() ? Parse(File.ReadLines("/proc/self/limits")) : int.MaxValue;

    /// <summary>"Max open files            1024                 1048576              files": the soft limit and the hard one, or "unlimited" (proc_pid_limits(5)).</summary>
    internal static int Parse(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        return limits.FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal)) is { } line
            && line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..]
            && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
            ? limit
            : int.MaxValue;
    }
}
