using System.Globalization;

namespace CSsl.Bench.Scaling;

/// <summary>A control group that gives its processes a share of the CPU and no more: as if they had a small machine of their own. Version 1 or 2, whichever is there.</summary>
internal sealed class CpuGroup : IDisposable
{
    private const string Version1 = "/sys/fs/cgroup/cpu";
    private const string Version2 = "/sys/fs/cgroup";

    /// <summary>Short, so that a process that has used up its share stops for some milliseconds, not for a tenth of a second.</summary>
    private const int PeriodMicroseconds = 20_000;

    private readonly string _root;
    private readonly string _folder;

    /// <param name="name">Tells it from others of this run.</param>
    /// <exception cref="BenchException">This machine, or this user, can't make one.</exception>
    public CpuGroup(string name)
    {
        _root = File.Exists(Path.Combine(Version1, "cpu.cfs_quota_us")) ? Version1 : Version2;
        _folder = Path.Combine(_root, $"cssl-bench-{Environment.ProcessId}-{name}");
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException($"no control group can be made in {_root}: {e.Message}");
        }

        if (!File.Exists(Path.Combine(_folder, _root == Version1 ? "cpu.cfs_quota_us" : "cpu.max")))
            throw new BenchException($"the control groups in {_root} have no cpu controller");
    }

    /// <summary>Cores; 0.25 is a quarter of one.</summary>
    public void Limit(double cores)
    {
        string quota = ((int)(cores * PeriodMicroseconds)).ToString(CultureInfo.InvariantCulture);
        if (_root == Version1)
        {
            Write("cpu.cfs_period_us", $"{PeriodMicroseconds}");
            Write("cpu.cfs_quota_us", quota);
        }
        else
        {
            Write("cpu.max", $"{quota} {PeriodMicroseconds}");
        }
    }

    public void Add(IEnumerable<int> processIds)
    {
        foreach (int id in processIds)
            Write("cgroup.procs", $"{id}");
    }

    /// <summary>Its processes go back to the root group.</summary>
    public void Dispose()
    {
        foreach (string id in File.ReadAllLines(Path.Combine(_folder, "cgroup.procs")))
        {
            if (Directory.Exists($"/proc/{id}"))
                File.WriteAllText(Path.Combine(_root, "cgroup.procs"), id);
        }

        Directory.Delete(_folder);
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text);
}
