using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>SIGTERM, and nothing that is under way ends before Silo:DrainTime.</summary>
public sealed class StopRun(SurvivalSite site) : EndRun(site, ProcFs.SigTerm);

/// <summary>A data silo is asked to stop, and what it has outlasts the drain.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class StopTests(StopRun run, ITestOutputHelper output) : LostSiloTests(run, output), IClassFixture<StopRun>
{
    [Fact]
    public async Task Silo_exits_with_code_0()
    {
        await run.Sent.Ending;
        Assert.Matches($"{SurvivalSite.Victim} \\(pid [0-9]+\\) ended: exit code 0", run.Log);
    }
}
