using System.Diagnostics.Metrics;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Silo.Aggregation;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace CSsl.Bench.Engines;

/// <summary>What a connection that is alone pays for aggregation: a record that is sealed through a silo's aggregator, beside one that is given to the engine directly.</summary>
internal static class AggregatorLatency
{
    private const int Records = 20_000;
    private static readonly EngineLoad OneRecord = new(1024, 1);

    /// <summary>Nanoseconds of CPU per record, directly and through the aggregator: medians of rounds that have both.</summary>
    public static (double Direct, double Aggregated) Measure(IRecordEngine engine, int rounds)
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var aggregator = new RecordAggregator(
            engine, new AggregatorMetrics(services.GetRequiredService<IMeterFactory>(), engine), Options.Create(new AggregationOptions()), NullLogger<RecordAggregator>.Instance);
        using var connection = new DataPhase(SealingLoad.Session(EngineCase.All[0], seed: 1), engine);
        byte[] buffer = GC.AllocateArray<byte>(connection.Writer.SealedLength(OneRecord.Size), pinned: true);
        var batch = new OneRecordBatch();
        var direct = new RecordJob[1];

        double[] directly = new double[rounds], aggregated = new double[rounds];
        for (int round = -1; round < rounds; round++)
        {
            double one = Time(() =>
            {
                connection.Writer.Prepare(ContentType.ApplicationData, buffer, OneRecord.Size, ref direct[0]);
                engine.Run(direct);
                RecordWriteState.Complete(ref direct[0]);
            });
            double other = Time(() =>
            {
                connection.Writer.Prepare(ContentType.ApplicationData, buffer, OneRecord.Size, ref batch.Jobs[0]);
                if (!aggregator.TryRun(batch))
                    throw new BenchException("somebody else is at work");
                RecordWriteState.Complete(ref batch.Jobs[0]);
            });

            // The first round is for the JIT.
            if (round >= 0)
                (directly[round], aggregated[round]) = (one, other);
        }

        return (directly.Median(), aggregated.Median());
    }

    private static double Time(Action seal)
    {
        TimeSpan start = Core.ThreadTime;
        for (int i = 0; i < Records; i++)
            seal();
        return (Core.ThreadTime - start).TotalNanoseconds / Records;
    }

    /// <summary>A batch that has one job for ever.</summary>
    private sealed class OneRecordBatch : RecordBatch
    {
        public OneRecordBatch()
        {
            Reserve(1);
            Commit(owner: null!, 1);
        }

        public override void OnRun()
        {
        }
    }
}
