using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace CSsl.Tests.EndToEnd.Survival;

/// <summary>SIGKILL.</summary>
public sealed class CrashRun(SurvivalSite site) : FaultRun(site)
{
    private int _pid;

    protected override async Task BreakAsync()
    {
        ProcessStatus victim = await Site.ProcessAsync(SurvivalSite.Victim);
        ProcFs.Signal(_pid = victim.Pid, ProcFs.SigKill);
        await TakenOverAsync();
    }

    protected override Task RepairAsync() => Site.WholeAgainAsync(SurvivalSite.Victim, _pid);
}

/// <summary>A data silo is killed.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class CrashTests(CrashRun run, ITestOutputHelper output) : LostSiloTests(run, output), IClassFixture<CrashRun>;
