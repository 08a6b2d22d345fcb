using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>`cssl drain NAME`.</summary>
public sealed class DrainRun(SurvivalSite site) : FaultRun(site)
{
    protected override async Task BreakAsync()
    {
        long moved = await MovedAsync();
        (await Cssl.RunAsync(["drain", SurvivalSite.Victim, "--admin", $"{Site.Cluster.AdminPort}"])).Succeeded();

        // The two idle ones have left: the silo has begun to let go.
        await Eventually.TrueAsync(async () => await MovedAsync() >= moved + 2, "idle connections have left the silo");
    }

    protected override Task RepairAsync() => Site.OrderAsync(SurvivalSite.Victim, drain: false);

    private async Task<long> MovedAsync() => (await Site.ProcessAsync("gateway-1")).Sessions!.Moved;
}

/// <summary>A data silo is drained by the operator: what is under way has all the time it needs; only upgraded connections have a deadline.</summary>
[Collection(SurvivalCluster.Name)]
public sealed class DrainTests(DrainRun run, ITestOutputHelper output) : UndisturbedTests(run, output), IClassFixture<DrainRun>
{
    [Fact]
    public async Task Idle_client_notices_nothing()
    {
        Assert.Equal(1, (await run.Idle.Ending).Connections);
        run.Idle.AssertAskedAgain();
    }

    [Fact]
    public async Task Idle_connection_stays_open_for_a_client_that_would_tell()
    {
        await run.IdleTls.Ending;
        run.IdleTls.AssertAskedAgain();
    }

    [Fact]
    public async Task Next_request_on_a_busy_connection_is_served_by_another_silo()
    {
        foreach (KeepAliveExchange exchange in (KeepAliveExchange[])[run.Sent, run.Post, run.LongPut])
        {
            KeepAliveEnding client = await exchange.Ending;
            Assert.Equal(1, client.Connections);
            Assert.Equal($"by {SurvivalSite.Other}\n", client.Next);
        }
    }

    [Fact]
    public async Task Http2_connection_ends_with_GOAWAY_in_order_and_is_resumed()
    {
        SClientEnding client = await run.Http2.Ending;
        Assert.Contains(RawHttp.Http2GoAway, client.Output, StringComparison.Ordinal);
        client.AssertEndedInOrderAndResumed();
    }

    [Fact]
    public async Task WebSocket_ends_in_order_at_the_deadline() => (await run.WebSocket.Ending).AssertEndedInOrderAndResumed();

    [Fact]
    public async Task Events_go_on()
    {
        CurlEnding client = await run.Events.Ending;
        Assert.Equal((0, Scene.EventsLength), (client.ExitCode, client.Bytes));
        run.Events.AssertAskedOnce();
    }
}
