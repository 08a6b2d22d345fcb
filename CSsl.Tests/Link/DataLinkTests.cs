using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link;

public class DataLinkTests
{
    [Fact]
    public async Task Link_carries_frames_both_ways()
    {
        await using var links = await TestLinks.ConnectAsync();
        var (gateway, silo) = await links.OpenAsync();
        Assert.Equal([1, 2, 3], await silo.NextAsync(FrameKind.Attach));

        silo.SendFrame(FrameKind.Attached, 9);
        gateway.SendRecords([1, 1]);
        silo.SendRecords([2, 2, 2]);

        Assert.Equal([9], await gateway.NextAsync(FrameKind.Attached));
        Assert.Equal([2, 2, 2], await gateway.NextAsync(FrameKind.Records));
        Assert.Equal([1, 1], await silo.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task Link_tells_each_end_who_the_other_is()
    {
        await using var links = await TestLinks.ConnectAsync();

        Assert.Equal(new LinkIdentity("silo-1", "test"), links.Gateway.Peer);
        Assert.Equal(new LinkIdentity("gateway-1", "test"), links.Silo.Peer);
    }

    [Fact]
    public async Task Link_tells_each_open_channel_once_when_the_peer_closes()
    {
        await using var links = await TestLinks.ConnectAsync(time: new FakeTimeProvider());
        var (gateway, silo) = await links.OpenAsync();

        // The only pings have been answered: nobody is writing.
        await Eventually.TrueAsync(() => links.Silo.Counters.FramesReceived == 3 && links.Gateway.Counters.FramesReceived == 2, "all that is sent has come");

        await links.Silo.DisposeAsync();

        var reason = await links.GatewayEnd.WaitAsync(TestLinks.Patience);
        Assert.Equal("The peer closed the link.", reason.Message);
        Assert.Same(reason, await gateway.Lost);
        await silo.Lost;
        Assert.Equal((1, 1), (gateway.LostCalls, silo.LostCalls));
        Assert.False(links.Gateway.IsAlive);
        Assert.Throws<LinkException>(() => links.Gateway.Open(new TestChannel(), FrameKind.Attach, []));
    }
}
