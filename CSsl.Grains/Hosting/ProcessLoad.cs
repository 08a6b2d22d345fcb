using System.Globalization;

namespace CSsl.Grains.Hosting;

/// <summary>CPU and memory of this process and of its machine, between two calls of <see cref="Measure"/>. Linux: from /proc.</summary>
public sealed class ProcessLoad(TimeProvider time)
{
    private long _lastTimestamp = time.GetTimestamp();
    private TimeSpan _lastCpu = Environment.CpuUsage.TotalTime;
    private MachineTicks _lastMachine = ReadMachine();

    /// <summary>CPU of the process in cores, and of the machine from 0 to 1, since the last call.</summary>
    public (double ProcessCpu, double MachineCpu, long ResidentBytes) Measure()
    {
        var timestamp = time.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var machine = ReadMachine();
        var elapsed = time.GetElapsedTime(_lastTimestamp, timestamp);
        var ticks = machine.All - _lastMachine.All;

        var process = elapsed > TimeSpan.Zero ? (cpu - _lastCpu) / elapsed : 0;
        var busy = ticks > 0 ? 1 - ((double)(machine.Idle - _lastMachine.Idle) / ticks) : 0;
        (_lastTimestamp, _lastCpu, _lastMachine) = (timestamp, cpu, machine);
        return (process, Math.Clamp(busy, 0, 1), Environment.WorkingSet);
    }

    /// <summary>The first line of /proc/stat: "cpu user nice system idle iowait irq softirq steal guest guest_nice", in clock ticks (proc(5)).
    /// guest is part of user already.</summary>
    internal static MachineTicks Parse(ReadOnlySpan<char> line)
    {
        long all = 0, idle = 0;
        var column = -1;
        foreach (var range in line.Split(' '))
        {
            var word = line[range];
            if (word.IsEmpty)
                continue;
            if (column is >= 0 and < 8 && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
            {
                all += ticks;
                idle += column is 3 or 4 ? ticks : 0;
            }

            column++;
        }

        return new MachineTicks(all, idle);
    }

    private static MachineTicks ReadMachine()
    {
        if (!OperatingSystem.IsLinux())
            return default;
        using var stat = new StreamReader("/proc/stat");
        return Parse(stat.ReadLine());
    }

    internal readonly record struct MachineTicks(long All, long Idle);
}
