using System.Globalization;

namespace CSsl.Hosting;

/// <summary>Finds the process that listens on a TCP port, for an error message. Linux only; elsewhere, and for processes of other users, it knows nothing.</summary>
public static class PortOwner
{
    /// <summary>State of a listening socket in /proc/net/tcp (TCP_LISTEN of the kernel).</summary>
    private const string Listening = "0A";

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>"nginx (pid 123)", or null when it can't be told.</summary>
    public static string? Find(int port)
    {
        var inodes = ListeningInodes(port);
        if (inodes.Count == 0 || !Directory.Exists("/proc/self/fd"))
            return null;

        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && HoldsAny(directory, inodes))
                return $"{CommandOf(directory)} (pid {pid})";
        }

        return null;
    }

    /// <summary>"port 8443 is in use by nginx (pid 123)".</summary>
    public static string Describe(int port)
        => Find(port) is { } owner ? $"port {port} is in use by {owner}" : $"port {port} is in use";

    private static HashSet<string> ListeningInodes(int port)
    {
        // sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
        var suffix = ':' + port.ToString("X4", CultureInfo.InvariantCulture);
        return Tables
            .Where(File.Exists)
            .SelectMany(File.ReadLines)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > 9 && fields[3] == Listening && fields[1].EndsWith(suffix, StringComparison.Ordinal))
            .Select(fields => $"socket:[{fields[9]}]")
            .ToHashSet();
    }

    private static bool HoldsAny(string process, HashSet<string> inodes)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(process, "fd")).Any(descriptor => new FileInfo(descriptor).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // ended meanwhile, or another user's
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            var arguments = File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
            var isDotnet = arguments.Length > 1 && Path.GetFileName(arguments[0]) == "dotnet";
            return arguments.Length == 0 ? "a process" : Path.GetFileName(arguments[isDotnet ? 1 : 0]);
        }
        catch (IOException)
        {
            return "a process";
        }
    }
}

/// <summary>A port, a folder or a name is taken by another process: the message says which, in one line.</summary>
public sealed class InUseException(string message, Exception? inner = null) : Exception(message, inner);
