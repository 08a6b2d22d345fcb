using CSsl.Link;
using Xunit;

namespace CSsl.Tests.Link;

public class LinkCreditTests
{
    private const int Credit = 100_000;

    private static readonly LinkOptions Options = new() { ChannelCredit = Credit };

    [Fact]
    public async Task Sender_stops_at_the_credit_plus_less_than_one_record_when_nothing_is_returned()
    {
        await using var links = await TestLinks.ConnectAsync(Options);
        var (gateway, silo) = await links.OpenAsync();
        SendForEver(silo);

        var received = 0;
        while (received < Credit)
            received += (await gateway.NextAsync(FrameKind.Records)).Length;
        await RoundTripAsync(gateway, silo);

        Assert.InRange(received, Credit, Credit + LinkChannel.MinimumRoom - 1);
        Assert.False(gateway.TryNext(out _));
    }

    [Fact]
    public async Task Room_is_the_turn_or_the_credit_or_one_record()
    {
        await using var links = await TestLinks.ConnectAsync(Options);
        var (gateway, silo) = await links.OpenAsync();
        SendForEver(silo);
        var received = 0;
        while (received < Credit)
            received += (await gateway.NextAsync(FrameKind.Records)).Length;
        await RoundTripAsync(gateway, silo);

        var turn = Options.TurnBytes;
        Assert.Equal([turn, Credit - turn], silo.Rooms);

        // A quarter of the credit is what a Window frame brings at least; it is more than one record here.
        gateway.GiveCredit(Credit / 4);
        await gateway.NextAsync(FrameKind.Records);
        Assert.Equal(Credit / 4, silo.Rooms[2]);
        gateway.GiveCredit(Credit / 4);
        await gateway.NextAsync(FrameKind.Records);
        Assert.All(silo.Rooms, room => Assert.InRange(room, LinkChannel.MinimumRoom, turn));
    }

    [Fact]
    public async Task Room_for_one_whole_record_is_offered_when_the_credit_is_smaller()
    {
        await using var links = await TestLinks.ConnectAsync(new LinkOptions { ChannelCredit = 10 });
        var (gateway, silo) = await links.OpenAsync();
        SendForEver(silo);

        Assert.Equal(LinkChannel.MinimumRoom, (await gateway.NextAsync(FrameKind.Records)).Length);
        await RoundTripAsync(gateway, silo);
        Assert.Equal([LinkChannel.MinimumRoom], silo.Rooms);

        // The debt is paid first.
        gateway.GiveCredit(LinkChannel.MinimumRoom - 10);
        await RoundTripAsync(gateway, silo);
        Assert.Single(silo.Rooms);
        gateway.GiveCredit(10);
        await gateway.NextAsync(FrameKind.Records);
    }

    [Fact]
    public async Task Window_frames_come_a_quarter_of_the_credit_at_a_time()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(Options);
        var channel = await peer.OpenAsync(1);
        await peer.SendAsync(FrameKind.Records, 1, new byte[Credit]);
        await channel.NextAsync(FrameKind.Records);

        for (var returned = 0; returned < Credit / 4 - 1; returned++)
            channel.GiveCredit(1);
        await peer.SendAsync(FrameKind.Ping, 0, new byte[8]);
        Assert.Equal(FrameKind.Pong, (await peer.NextButPingsAsync()).Kind);
        channel.GiveCredit(1);

        var window = await peer.NextButPingsAsync();
        Assert.Equal((FrameKind.Window, 1u), (window.Kind, window.Channel));
        Assert.Equal(ScriptedPeer.U32(Credit / 4), window.Payload);
    }

    [Fact]
    public async Task Credit_that_was_never_received_can_not_be_returned()
    {
        await using var links = await TestLinks.ConnectAsync(Options);
        var (gateway, silo) = await links.OpenAsync();
        silo.SendRecords(new byte[100]);
        await gateway.NextAsync(FrameKind.Records);

        gateway.GiveCredit(100);
        Assert.Throws<InvalidOperationException>(() => gateway.GiveCredit(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => gateway.GiveCredit(-1));
    }

    [Fact]
    public async Task Each_end_is_sent_no_more_than_it_grants_though_the_two_grant_different_amounts()
    {
        await using var links = await TestLinks.ConnectAsync(new LinkOptions { ChannelCredit = 30_000 }, new LinkOptions { ChannelCredit = 50_000 });
        var (gateway, silo) = await links.OpenAsync();
        await silo.NextAsync(FrameKind.Attach);
        SendForEver(silo);
        SendForEver(gateway);

        Assert.Equal(30_000, (await gateway.NextAsync(FrameKind.Records)).Length);
        Assert.Equal(50_000, (await silo.NextAsync(FrameKind.Records)).Length);
        await RoundTripAsync(gateway, silo);
        Assert.False(gateway.TryNext(out _) || silo.TryNext(out _));
    }

    [Fact]
    public async Task Stalled_channel_does_not_hold_up_another()
    {
        await using var links = await TestLinks.ConnectAsync(Options);
        var (stalled, stalledSilo) = await links.OpenAsync();
        var (flowing, flowingSilo) = await links.OpenAsync();
        flowing.Returns = true;
        SendForEver(stalledSilo);
        SendForEver(flowingSilo);

        long received = 0;
        while (received < 20 * Credit)
            received += (await flowing.NextAsync(FrameKind.Records)).Length;

        var held = 0;
        while (stalled.TryNext(out var frame))
            held += frame!.Payload.Length;
        Assert.InRange(held, 1, Credit + LinkChannel.MinimumRoom - 1);
        flowingSilo.Filler = _ => 0;
    }

    [Fact]
    public async Task Channel_goes_on_when_credit_comes_while_its_turn_is_wanted_and_there_was_none()
    {
        await using var links = await TestLinks.ConnectAsync(new LinkOptions { ChannelCredit = 1 });
        var (gateway, silo) = await links.OpenAsync();

        // Every byte is a stall, and every return the end of one: a lost wake-up would end this.
        gateway.Returns = true;
        for (var i = 0; i < 3000; i++)
            silo.SendRecords([(byte)i]);
        for (var i = 0; i < 3000; i++)
            Assert.Equal((byte)i, (await gateway.NextAsync(FrameKind.Records))[0]);
    }

    private static void SendForEver(TestChannel channel)
    {
        channel.Filler = room =>
        {
            channel.AskForTurn();
            return room.Length;
        };
        channel.AskForTurn();
    }

    // What either end could send before, it has sent, and the other has it: no records that the test did not expect.
    private static async Task RoundTripAsync(TestChannel gateway, TestChannel silo)
    {
        silo.Frames = (_, f) =>
        {
            if (f.Kind == FrameKind.Eof)
                silo.SendFrame(FrameKind.Checkpoint);
        };
        gateway.SendFrame(FrameKind.Eof);
        Assert.DoesNotContain(await silo.SkipAsync(FrameKind.Eof), f => f.Kind == FrameKind.Records);
        Assert.Empty(await gateway.SkipAsync(FrameKind.Checkpoint));
    }
}
