using System.Globalization;

namespace CSsl.Hosting;

/// <summary>How many cores this process may use: the machine's, or less when a control group has a quota (cgroups(7), versions 1 and 2).</summary>
/// <remarks>.NET rounds a quota up to whole cores; a process with half a core would never look busy by that.</remarks>
public sealed class CpuAllowance
{
    private readonly string _root;
    private readonly string _memberships;

    /// <param name="root">Where control groups are mounted.</param>
    /// <param name="memberships">The file with the process's control groups.</param>
    public CpuAllowance(string root = "/sys/fs/cgroup", string memberships = "/proc/self/cgroup") => (_root, _memberships) = (root, memberships);

    /// <summary>Cores, as of now: a quota can be changed while the process runs.</summary>
    public double Read()
    {
        double cores = Environment.ProcessorCount;
        try
        {
            foreach (var line in File.ReadLines(_memberships))
            {
                // 4:cpu,cpuacct:/some/group, or 0::/some/group (version 2)
                var fields = line.Split(':', 3);
                if (fields.Length == 3 && (fields[1].Length == 0 || fields[1].Split(',').Contains("cpu")))
                    cores = Math.Min(cores, QuotaOf(fields[1], fields[2]));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No control groups here, or none that we may see.
            return cores;
        }

        return cores;
    }

    /// <summary>The smallest quota on the way from a group to the root.</summary>
    private double QuotaOf(string controllers, string group)
    {
        var mount = controllers.Length == 0 ? _root : Path.Combine(_root, controllers);
        if (!Directory.Exists(mount))
            mount = Path.Combine(_root, "cpu");

        var cores = double.PositiveInfinity;
        for (var path = group.Trim('/'); ; path = path[..Math.Max(0, path.LastIndexOf('/'))])
        {
            var folder = Path.Combine(mount, path);
            cores = Math.Min(cores, controllers.Length == 0 ? Version2(folder) : Version1(folder));
            if (path.Length == 0)
                return cores;
        }
    }

    /// <summary>cpu.max: "50000 100000" (µs of CPU in µs), or "max 100000".</summary>
    private static double Version2(string folder)
        => First(folder, "cpu.max") is { } line && line.Split(' ') is [var quota, var period] ? Cores(quota, period) : double.PositiveInfinity;

    /// <summary>cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us.</summary>
    private static double Version1(string folder)
        => First(folder, "cpu.cfs_quota_us") is { } quota && First(folder, "cpu.cfs_period_us") is { } period ? Cores(quota, period) : double.PositiveInfinity;

    private static double Cores(string quota, string period)
        => long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out var used) && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out var of) && of > 0 && used > 0
            ? (double)used / of
            : double.PositiveInfinity;

    private static string? First(string folder, string file)
        => Path.Combine(folder, file) is var path && File.Exists(path) ? File.ReadLines(path).FirstOrDefault()?.Trim() : null;
}
