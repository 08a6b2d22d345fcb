using CSsl.Tests.Support;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>The victim's process ends, by a signal, and is started again.</summary>
public abstract class EndRun(SurvivalSite site, int signal) : FaultRun(site)
{
    private int _pid;

    protected override async Task BreakAsync()
    {
        ProcFs.Signal(_pid = (await Site.ProcessAsync(SurvivalSite.Victim)).Pid, signal);
        await TakenOverAsync();
    }

    protected override Task RepairAsync() => Site.WholeAgainAsync(SurvivalSite.Victim, _pid);
}
