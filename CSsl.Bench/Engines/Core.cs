using System.Runtime.InteropServices;

namespace CSsl.Bench.Engines;

/// <summary>The core that a measurement has.</summary>
internal static partial class Core
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID.</summary>
    private const int ThreadCpuTime = 3;

    /// <summary>Keeps the calling thread, and programs that it starts, on one core; the run-time's own threads stay where they are.</summary>
    /// <exception cref="BenchException">There is no such core.</exception>
    public static unsafe void Pin(int core)
    {
        ulong mask = 1UL << core;
        if (core is < 0 or > 63 || sched_setaffinity(0, sizeof(ulong), &mask) != 0)
            throw new BenchException($"can't run on core {core}");
    }

    /// <summary>CPU that the calling thread has used: on a machine with other work to do, waiting for the core is not a cost of what is measured.</summary>
    public static unsafe TimeSpan ThreadTime
    {
        get
        {
            TimeSpec time;
            _ = clock_gettime(ThreadCpuTime, &time);
            return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1e3);
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial int clock_gettime(int clock, TimeSpec* time);

    [LibraryImport("libc")]
    private static unsafe partial int sched_setaffinity(int pid, nint size, ulong* mask);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
