using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>SIGSTOP: the silo's sockets stay open, and it says nothing more.</summary>
public sealed class HangRun(SurvivalSite site) : FaultRun(site)
{
    protected override async Task BreakAsync()
    {
        await Site.SignalAsync(SurvivalSite.Victim, ProcFs.SigStop);
        await TakenOverAsync();
    }

    protected override Task RepairAsync() => Site.SignalAsync(SurvivalSite.Victim, ProcFs.SigCont);
}

/// <summary>A data silo hangs.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class HangTests(HangRun run, ITestOutputHelper output) : LostSiloTests(run, output), IClassFixture<HangRun>;
