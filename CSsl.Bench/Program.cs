using System.CommandLine;
using CSsl.Bench;
using CSsl.Bench.Aggregation;
using CSsl.Bench.Chaos;
using CSsl.Bench.Engines;
using CSsl.Bench.Idle;
using CSsl.Bench.Scaling;

var root = new RootCommand("Measures the CPU that C-SSL takes per handshake and per gigabyte, beside nginx on the same machine in the same run.")
{
    HandshakeBenchmark.Command(),
    BulkBenchmark.Command(),
    CSsl.Bench.ClusterSim.ClusterSimCommand.Command(),
    AggregationBenchmark.Command(),
    ChaosCommand.Command(),
    IdleBenchmark.Command(),
    IdleCrowd.Command(),
    ScalingBenchmark.Command(),
    RoleChangeBenchmark.Command(),
    StormBenchmark.Command(),
    StormCrowd.Command(),
    EnginesBenchmark.Command(),
};
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (BenchException e)
{
    await Console.Error.WriteLineAsync($"bench: {e.Message}");
    return 1;
}
