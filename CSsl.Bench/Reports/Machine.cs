using System.Runtime.InteropServices;

namespace CSsl.Bench.Reports;

/// <summary>What was measured on.</summary>
internal static class Machine
{
    /// <summary>Processor, cores, memory, kernel, run-time, in a line each.</summary>
    public static IEnumerable<string> Describe()
    {
        yield return $"Processor: {Field("/proc/cpuinfo", "model name")}, {Environment.ProcessorCount} cores";
        yield return $"Memory: {Field("/proc/meminfo", "MemTotal")}";
        yield return $"Kernel: {RuntimeInformation.OSDescription}";
        yield return $".NET: {RuntimeInformation.FrameworkDescription}";
    }

    private static string Field(string file, string name)
        => File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";
}
