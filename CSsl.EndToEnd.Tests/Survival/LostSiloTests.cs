using System.Net;
using Xunit;

namespace CSsl.EndToEnd.Tests.Survival;

/// <summary>What the clients of a data silo see when it is gone with their exchanges, however it went.</summary>
public abstract class LostSiloTests
{
    private readonly FaultRun _run;

    protected LostSiloTests(FaultRun run, ITestOutputHelper output)
    {
        _run = run;
        output.WriteLine(run.Log);
    }

    [Fact]
    public async Task Idle_client_notices_nothing()
    {
        KeepAliveEnding client = await _run.Idle.Ending;
        Assert.Equal(1, client.Connections);
        Assert.Equal(SurvivalSite.Other, _run.Idle.AssertAskedAgain().Silo);
    }

    [Fact]
    public async Task Idle_connection_stays_open_for_a_client_that_would_tell()
    {
        await _run.IdleTls.Ending;
        _run.IdleTls.AssertAskedAgain();
    }

    [Fact]
    public async Task Request_without_an_answer_is_asked_again()
    {
        KeepAliveEnding client = await _run.Sent.Ending;
        Assert.Equal((HttpStatusCode.OK, "done\n"), (client.Status, client.Text));
        Assert.Equal(1, client.Connections);
        _run.Sent.AssertAskedAgain();
    }

    [Fact]
    public async Task Download_with_a_validator_goes_on_at_the_byte()
    {
        (await _run.Download.Ending).AssertIsWhole(FaultRun.FlowingLength);
        Assert.Matches("^bytes=[0-9]+-[0-9]+$", _run.Download.AssertAskedAgain().Range);
    }

    [Fact]
    public async Task Download_with_a_validator_goes_on_at_the_byte_in_TLS_1_2()
    {
        (await _run.Tls12Download.Ending).AssertIsWhole(FaultRun.Length);
        Assert.Equal($"bytes={FaultRun.Length / 2}-{FaultRun.Length - 1}", _run.Tls12Download.AssertAskedAgain().Range);
    }

    [Fact]
    public async Task Download_without_a_validator_is_broken_off()
    {
        (await _run.UntaggedDownload.Ending).AssertIsBroken(FaultRun.Length);
        _run.UntaggedDownload.AssertAskedOnce();
    }

    [Fact]
    public async Task Download_without_a_length_is_broken_off()
    {
        (await _run.ChunkedDownload.Ending).AssertIsBroken(FaultRun.Length);
        _run.ChunkedDownload.AssertAskedOnce();
    }

    [Fact]
    public async Task Post_without_an_answer_gets_502_and_the_connection_lives()
    {
        KeepAliveEnding client = await _run.Post.Ending;
        Assert.Equal(HttpStatusCode.BadGateway, client.Status);
        Assert.Contains("may not be done twice", client.Text, StringComparison.Ordinal);
        Assert.StartsWith($"by {SurvivalSite.Other}", client.Next, StringComparison.Ordinal);
        Assert.Equal(1, client.Connections);
        _run.Post.AssertAskedOnce();
    }

    [Fact]
    public async Task Put_that_is_longer_than_the_replay_buffer_gets_502_and_the_connection_ends()
    {
        KeepAliveEnding client = await _run.LongPut.Ending;
        Assert.Equal(HttpStatusCode.BadGateway, client.Status);
        Assert.Contains("too long to be kept", client.Text, StringComparison.Ordinal);
        Assert.Equal(2, client.Connections);
        _run.LongPut.AssertAskedOnce();
    }

    [Fact]
    public async Task Answer_to_a_post_is_broken_off()
    {
        (await _run.PostUnderWay.Ending).AssertIsBroken(FaultRun.Length);
        _run.PostUnderWay.AssertAskedOnce();
    }

    [Fact]
    public async Task Http2_connection_ends_in_order_and_is_resumed() => (await _run.Http2.Ending).AssertEndedInOrderAndResumed();

    [Fact]
    public async Task Http2_download_is_broken_off()
    {
        (await _run.Http2Download.Ending).AssertIsBroken(FaultRun.Length);
        _run.Http2Download.AssertAskedOnce();
    }

    [Fact]
    public async Task WebSocket_ends_in_order_and_is_resumed() => (await _run.WebSocket.Ending).AssertEndedInOrderAndResumed();

    [Fact]
    public async Task Events_are_broken_off()
    {
        (await _run.Events.Ending).AssertIsBroken(Scene.EventsLength);
        _run.Events.AssertAskedOnce();
    }
}
