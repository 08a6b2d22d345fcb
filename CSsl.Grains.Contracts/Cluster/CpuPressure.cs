namespace CSsl.Grains.Cluster;

/// <summary>How hard it is for a process to get to its work.</summary>
public static class CpuPressure
{
    /// <summary>Seconds late that count as full.</summary>
    public const double FullSchedulingDelay = 0.100;

    /// <summary>The share that it uses of the CPU it may use, or how late it is where that is more; 1: full.</summary>
    /// <param name="utilisation">0 to 1.</param>
    /// <param name="schedulingDelay">How late it gets to work that is due, in seconds.</param>
    public static double Of(double utilisation, double schedulingDelay) => Math.Max(utilisation, schedulingDelay / FullSchedulingDelay);

    /// <summary>CPU in cores as a share of what the process may use; of the machine's when that isn't known.</summary>
    public static double Utilisation(double processCpu, double cpuAllowance, double machineCpu) => cpuAllowance > 0 ? Math.Min(1, processCpu / cpuAllowance) : machineCpu;
}
