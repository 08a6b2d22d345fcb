using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>SIGKILL to every handshake silo that there is.</summary>
public sealed class HandshakeSiloCrashRun(SurvivalSite site) : FaultRun(site)
{
    private static readonly string[] Victims = ["handshake-1", "handshake-2"];

    private readonly Dictionary<string, int> _pids = [];

    protected override bool KeepsHttp2 => true;

    protected override bool KeepsUpgraded => true;

    protected override async Task BreakAsync()
    {
        foreach (string silo in Victims)
            ProcFs.Signal(_pids[silo] = (await Site.ProcessAsync(silo)).Pid, ProcFs.SigKill);
        await Eventually.TrueAsync(() => !_pids.Values.Any(ProcFs.IsAlive), "the handshake silos are dead");
    }

    protected override async Task RepairAsync()
    {
        foreach ((string silo, int pid) in _pids)
            await Site.WholeAgainAsync(silo, pid);
    }
}

/// <summary>No connection needs the silo that shook hands for it.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class HandshakeSiloCrashTests(HandshakeSiloCrashRun run, ITestOutputHelper output) : UndisturbedTests(run, output), IClassFixture<HandshakeSiloCrashRun>
{
    [Fact]
    public async Task Idle_client_notices_nothing() => Assert.Equal(1, (await run.Idle.Ending).Connections);

    [Fact]
    public async Task Idle_connection_stays_open_for_a_client_that_would_tell() => await run.IdleTls.Ending;

    [Fact]
    public async Task Http2_connection_goes_on() => await run.Http2.Ending;

    [Fact]
    public async Task WebSocket_goes_on() => await run.WebSocket.Ending;

    [Fact]
    public async Task Events_go_on()
    {
        CurlEnding client = await run.Events.Ending;
        Assert.Equal((0, Scene.EventsLength), (client.ExitCode, client.Bytes));
    }
}
