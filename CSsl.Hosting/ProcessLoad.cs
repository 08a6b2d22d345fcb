using System.Globalization;

namespace CSsl.Hosting;

/// <summary>What a process had of its machine for a while.</summary>
/// <param name="Cpu">CPU of the process, in cores.</param>
/// <param name="MachineCpu">CPU of the machine, from 0 to 1.</param>
/// <param name="ResidentBytes">Memory of the process, now.</param>
/// <param name="CpuAllowance">Cores that it may use, now.</param>
/// <param name="SchedulingDelay">Seconds that it gets to due work too late.</param>
public readonly record struct ProcessUsage(double Cpu, double MachineCpu, long ResidentBytes, double CpuAllowance, double SchedulingDelay);

/// <summary>What this process has of its machine between two calls of <see cref="Measure"/>. Linux: from /proc.</summary>
public sealed class ProcessLoad(TimeProvider time) : IDisposable
{
    private readonly CpuAllowance _allowance = new();
    private readonly SchedulingDelay _delay = new(time);
    private long _lastTimestamp = time.GetTimestamp();
    private TimeSpan _lastCpu = Environment.CpuUsage.TotalTime;
    private MachineTicks _lastMachine = ReadMachine();

    /// <summary>Since the last call.</summary>
    public ProcessUsage Measure()
    {
        var timestamp = time.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var machine = ReadMachine();
        var elapsed = time.GetElapsedTime(_lastTimestamp, timestamp);
        var ticks = machine.All - _lastMachine.All;

        var process = elapsed > TimeSpan.Zero ? (cpu - _lastCpu) / elapsed : 0;
        var busy = ticks > 0 ? 1 - ((double)(machine.Idle - _lastMachine.Idle) / ticks) : 0;
        (_lastTimestamp, _lastCpu, _lastMachine) = (timestamp, cpu, machine);
        return new ProcessUsage(process, Math.Clamp(busy, 0, 1), Environment.WorkingSet, _allowance.Read(), _delay.Read());
    }

    /// <inheritdoc/>
    public void Dispose() => _delay.Dispose();

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
