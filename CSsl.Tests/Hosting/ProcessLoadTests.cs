using CSsl.Hosting;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class ProcessLoadTests
{
    [Fact]
    public void The_first_line_of_proc_stat_is_all_ticks_and_the_idle_ones()
    {
        // user 100, nice 20, system 30, idle 1000, iowait 50, irq 4, softirq 5, steal 6, guest 7 (part of user), guest_nice 8.
        var ticks = ProcessLoad.Parse("cpu  100 20 30 1000 50 4 5 6 7 8");

        Assert.Equal(1215, ticks.All);
        Assert.Equal(1050, ticks.Idle);
    }

    [Fact]
    public void A_busy_process_is_seen_to_use_CPU_and_memory()
    {
        using var load = new ProcessLoad(TimeProvider.System);
        var began = Environment.TickCount64;
        while (Environment.TickCount64 - began < 50)
            Thread.SpinWait(1000);

        var usage = load.Measure();

        Assert.True(usage.Cpu > 0.05, $"{usage.Cpu} cores");
        Assert.InRange(usage.MachineCpu, 0, 1);
        Assert.InRange(usage.ResidentBytes, 1 << 20, 1L << 40);
        Assert.InRange(usage.CpuAllowance, 0.01, Environment.ProcessorCount);
        Assert.True(usage.SchedulingDelay >= 0);
    }
}
