using CSsl.Tls.Engines;

namespace CSsl.Bench.Engines;

/// <summary>An engine, and whether it gets records one by one or in batches.</summary>
internal sealed record EngineContestant(string Name, IRecordEngine Engine, bool Batched)
{
    /// <summary>Seals for about as long as asked; returns records per second of CPU time. In the first pass it finds out how much that is.</summary>
    public double Measure(SealingLoad load, EngineLoad shape, TimeSpan time)
    {
        Run(load);
        TimeSpan start = Core.ThreadTime;
        Run(load);
        double one = (Core.ThreadTime - start).TotalSeconds;
        int passes = (int)Math.Clamp(time.TotalSeconds / one, 1, 1_000_000);

        start = Core.ThreadTime;
        for (int i = 0; i < passes; i++)
            Run(load);
        return passes * (double)shape.Records / (Core.ThreadTime - start).TotalSeconds;
    }

    private void Run(SealingLoad load)
    {
        if (Batched)
            load.SealBatch();
        else
            load.SealOneByOne();
    }
}
