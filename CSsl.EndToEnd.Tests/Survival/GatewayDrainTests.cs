using CSsl.Grains.Cluster;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>SIGTERM to the gateway.</summary>
public sealed class GatewayDrainRun(SurvivalSite site) : FaultRun(site)
{
    private const string Gateway = "gateway-1";

    private int _pid;

    protected override bool KeepsHttp1 => false;

    protected override async Task BreakAsync()
    {
        ProcessStatus gateway = await Site.ProcessAsync(Gateway);
        int mark = Site.Cluster.Log.Length;
        ProcFs.Signal(_pid = gateway.Pid, ProcFs.SigTerm);
        await Site.Cluster.Log.WaitForAsync("Draining: ", from: mark);
    }

    /// <summary>All but the events, which go on until somebody ends them.</summary>
    protected override void ReleaseAll()
    {
        Scene events = Events.Scene;
        foreach (Scene scene in Scenes.Where(scene => scene != events))
            scene.Release();
    }

    protected override Task RepairAsync() => Site.WholeAgainAsync(Gateway, _pid);
}

/// <summary>A gateway is asked to stop: TCP ends with it, but not in the middle of an answer that has an end.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class GatewayDrainTests(GatewayDrainRun run, ITestOutputHelper output) : UndisturbedTests(run, output), IClassFixture<GatewayDrainRun>
{
    [Fact]
    public async Task Idle_connection_ends_in_order_and_is_resumed() => (await run.IdleTls.Ending).AssertEndedInOrderAndResumed();

    [Fact]
    public async Task Http2_connection_ends_with_GOAWAY_in_order_and_is_resumed()
    {
        SClientEnding client = await run.Http2.Ending;
        Assert.Contains(RawHttp.Http2GoAway, client.Output, StringComparison.Ordinal);
        client.AssertEndedInOrderAndResumed();
    }

    [Fact]
    public async Task WebSocket_is_reset_at_the_deadline()
    {
        SClientEnding client = await run.WebSocket.Ending;
        Assert.False(client.EndedInOrder, client.Output);
        Assert.True(client.IsResumed);
    }

    [Fact]
    public async Task Events_are_broken_off_at_the_deadline() => (await run.Events.Ending).AssertIsBroken(Scene.EventsLength);
}
