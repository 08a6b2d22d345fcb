using CSsl.Link;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>The combining sender, seen from the transport: what is in which write, in which order.</summary>
public class LinkSenderTests
{
    private const int Clients = 64;

    [Fact]
    public async Task One_write_carries_the_records_of_many_clients_when_they_asked_while_a_write_was_pending()
    {
        await using var held = await HeldLinks.StartAsync();
        var clients = await held.OpenAsync(Clients);
        var other = (await held.OpenAsync(1))[0];

        await held.HoldAsync(other);
        var before = held.Links.Silo.Counters;
        foreach (var client in clients)
            client.SendRecords([23, 3, 3, 0, 1, (byte)client.Id]);
        held.Gate.ReleaseOne();

        var write = await held.Gate.NextChannelWriteAsync();
        Assert.Equal(clients.Select(c => c.Id), write.Select(f => f.Channel));
        Assert.All(write, f => Assert.Equal(FrameKind.Records, f.Kind));
        var after = held.Links.Silo.Counters;
        Assert.Equal((1, Clients), (after.Sends - before.Sends, after.RecordFramesSent - before.RecordFramesSent));
    }

    [Fact]
    public async Task Tiny_channel_has_its_turn_after_one_turn_of_a_bulk_channel()
    {
        await using var held = await HeldLinks.StartAsync(new LinkOptions { ChannelCredit = 1024 * 1024 });
        var channels = await held.OpenAsync(2);
        var (bulk, tiny) = (channels[0], channels[1]);
        bulk.Filler = room =>
        {
            bulk.AskForTurn();
            return room.Length;
        };

        await held.HoldAsync(bulk);
        tiny.SendRecords([1]);
        held.Gate.ReleaseOne();

        var write = await held.Gate.NextChannelWriteAsync();
        Assert.Equal([bulk.Id, tiny.Id], write.Take(2).Select(f => f.Channel));
        Assert.Equal(new LinkOptions().TurnBytes, write[0].Payload.Length);
    }

    [Fact]
    public async Task Batch_goes_on_with_a_lone_channel_until_it_is_full()
    {
        await using var held = await HeldLinks.StartAsync(new LinkOptions { ChannelCredit = 1024 * 1024 });
        var channels = await held.OpenAsync(2);
        var bulk = channels[0];
        bulk.Filler = room =>
        {
            bulk.AskForTurn();
            return room.Length;
        };

        await held.HoldAsync(channels[1]);
        bulk.AskForTurn();
        held.Gate.ReleaseOne();

        var write = await held.Gate.NextChannelWriteAsync();
        var options = new LinkOptions();
        Assert.InRange(write.Sum(f => f.Payload.Length), options.BatchBytes - options.TurnBytes, options.BatchBytes);
    }

    [Fact]
    public async Task Frame_keeps_its_place_after_the_records_of_earlier_turns_and_before_those_of_later_ones()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);
        var channel = channels[0];

        await held.HoldAsync(channels[1]);
        channel.SendRecords([1]);
        held.Gate.ReleaseOne();
        Assert.Equal([FrameKind.Records], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Kind));
        channel.SendFrame(FrameKind.Checkpoint, 2);
        channel.SendRecords([3]);
        channel.SendFrame(FrameKind.Checkpoint, 4);
        held.Gate.ReleaseOne();

        // Both frames were sent before the turn that sends the 3: it is the later one.
        var write = await held.Gate.NextChannelWriteAsync();
        Assert.Equal([2, 4, 3], write.Select(f => f.Payload[0]));
    }

    [Fact]
    public async Task Frame_without_hurry_leaves_with_the_next_one_of_anybody()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(3);

        channels[0].SendFrame(FrameKind.Checkpoint, 1, hurried: false);
        channels[1].SendFrame(FrameKind.Checkpoint, 2);

        Assert.Equal([1, 2], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Payload[0]));
    }

    [Fact]
    public async Task Frame_without_hurry_leaves_with_a_flush()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(1);

        channels[0].SendFrame(FrameKind.Checkpoint, 1, hurried: false);
        channels[0].Link.Flush();

        Assert.Equal([1], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Payload[0]));
    }

    [Fact]
    public async Task Frame_that_is_sent_before_the_turn_goes_first_when_the_batch_was_already_begun()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(3);
        var (first, second) = (channels[0], channels[1]);
        first.Filler = room =>
        {
            // The batch is being gathered, and second waits in it for its turn.
            second.SendFrame(FrameKind.Checkpoint, 1);
            return Put(room, 7);
        };

        await held.HoldAsync(channels[2]);
        first.AskForTurn();
        second.SendRecords([2]);
        held.Gate.ReleaseOne();

        // The frame leaves behind the batch's turns, and the turn of its channel comes in the next batch.
        Assert.Equal([(first.Id, FrameKind.Records), (second.Id, FrameKind.Checkpoint)], (await held.Gate.NextChannelWriteAsync()).Select(f => (f.Channel, f.Kind)));
        held.Gate.ReleaseOne();
        Assert.Equal([(second.Id, FrameKind.Records)], (await held.Gate.NextChannelWriteAsync()).Select(f => (f.Channel, f.Kind)));
    }

    [Fact]
    public async Task Close_that_is_sent_from_Fill_follows_the_records_of_that_turn()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(1);
        var channel = channels[0];
        channel.Filler = room =>
        {
            channel.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
            channel.AskForTurn();
            channel.Forget();
            return Put(room, 1, 2);
        };

        channel.AskForTurn();

        var gateway = held.Gateways[channel.Id];
        Assert.Equal([1, 2], await gateway.NextAsync(FrameKind.Records));
        Assert.Equal(CloseReason.Done, await gateway.NextCloseAsync());
        Assert.Single(channel.Rooms);
    }

    [Fact]
    public async Task Nothing_is_sent_and_no_turn_given_after_a_frame_that_ends_the_channel()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);
        var channel = channels[0];

        await held.HoldAsync(channels[1]);
        channel.SendRecords([1]);
        channel.SendFrame(FrameKind.Close, (byte)CloseReason.Aborted);
        channel.SendFrame(FrameKind.Checkpoint, 5);
        channels[1].SendRecords([2]);
        held.Gate.Open();

        Assert.Equal([FrameKind.Close, FrameKind.Records], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Kind));
        Assert.Empty(channel.Rooms);
    }

    [Fact]
    public async Task Released_channel_has_no_turn()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);

        await held.HoldAsync(channels[1]);
        channels[0].SendRecords([1]);
        channels[0].Forget();
        channels[1].SendRecords([2]);
        held.Gate.ReleaseOne();

        Assert.Equal([channels[1].Id], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Channel));
        Assert.Empty(channels[0].Rooms);
    }

    [Fact]
    public async Task Several_requests_before_the_turn_are_one()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);
        var turns = 0;
        channels[0].Filler = room =>
        {
            turns++;
            return Put(room, 1);
        };

        await held.HoldAsync(channels[1]);
        for (var i = 0; i < 100; i++)
            channels[0].AskForTurn();
        held.Gate.ReleaseOne();

        Assert.Single(await held.Gate.NextChannelWriteAsync());
        Assert.Equal(1, turns);
    }

    [Fact]
    public async Task Turn_that_fills_nothing_sends_nothing()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);
        channels[0].Filler = _ => 0;

        await held.HoldAsync(channels[1]);
        channels[0].AskForTurn();
        channels[1].SendRecords([9]);
        held.Gate.ReleaseOne();

        Assert.Equal([channels[1].Id], (await held.Gate.NextChannelWriteAsync()).Select(f => f.Channel));
        Assert.Single(channels[0].Rooms);
    }

    [Fact]
    public async Task Fill_is_never_called_from_within_Fill_however_often_it_asks_for_the_next_turn()
    {
        await using var links = await TestLinks.ConnectAsync();
        var (gateway, silo) = await links.OpenAsync();
        await silo.NextAsync();
        const int Turns = 200_000;
        var done = new TaskCompletionSource();
        var (inside, deepest, turns) = (0, 0, 0);
        silo.Filler = room =>
        {
            deepest = Math.Max(deepest, ++inside);
            if (++turns < Turns)
                silo.AskForTurn();
            else
                done.SetResult();
            inside--;
            return 0;
        };

        silo.AskForTurn();

        await done.Task.WaitAsync(TestLinks.Patience);
        Assert.Equal((1, Turns), (deepest, turns));
    }

    [Fact]
    public async Task Channel_is_closed_at_both_ends_and_the_link_lives_when_Fill_throws()
    {
        await using var links = await TestLinks.ConnectAsync();
        var (gateway, silo) = await links.OpenAsync();
        var (otherGateway, otherSilo) = await links.OpenAsync();
        var cause = new FormatException("broken");
        silo.Filler = _ => throw cause;

        silo.AskForTurn();

        Assert.Same(cause, (await silo.Lost).InnerException);
        Assert.Equal(CloseReason.Aborted, await gateway.NextCloseAsync());
        otherSilo.SendRecords([1]);
        Assert.Equal([1], await otherGateway.NextAsync(FrameKind.Records));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public async Task Channel_is_closed_when_Fill_says_that_it_used_more_than_the_room(int filled)
    {
        await using var links = await TestLinks.ConnectAsync();
        var (gateway, silo) = await links.OpenAsync();
        silo.Filler = _ => filled;

        silo.AskForTurn();

        Assert.IsType<InvalidOperationException>((await silo.Lost).InnerException);
        Assert.Equal(CloseReason.Aborted, await gateway.NextCloseAsync());
    }

    [Fact]
    public async Task Link_ends_when_the_peer_does_not_read_and_control_frames_pile_up()
    {
        await using var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(1);

        await held.HoldAsync(channels[0]);
        var frame = new byte[LinkChannel.MaxPayload];
        var sent = 0;
        while (held.Links.Silo.IsAlive && sent <= LinkSender.MaxQueuedBytes / frame.Length + 1)
        {
            channels[0].SendFrame(FrameKind.Checkpoint, frame);
            sent++;
        }

        var reason = await held.Links.SiloEnd.WaitAsync(TestLinks.Patience);
        Assert.StartsWith("The peer does not read", reason.Message, StringComparison.Ordinal);
        Assert.Equal(LinkSender.MaxQueuedBytes / (frame.Length + FrameHeader.Size) + 1, sent);
        Assert.Same(reason, await channels[0].Lost);
    }

    [Fact]
    public async Task Channel_is_told_of_the_lost_link_only_after_its_Fill_has_returned()
    {
        await using var links = await TestLinks.ConnectAsync();
        (_, TestChannel silo) = await links.OpenAsync();
        using var inFill = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var lostDuringFill = true;
        silo.Filler = room =>
        {
            inFill.Release();
            goOn.Wait(TestLinks.Patience);
            lostDuringFill = silo.IsLost;
            return Put(room, 1);
        };

        var asking = Task.Run(silo.AskForTurn);
        Assert.True(await inFill.WaitAsync(TestLinks.Patience));
        var disposing = links.Gateway.DisposeAsync();
        await links.GatewayEnd.WaitAsync(TestLinks.Patience);
        await WaitUntilLostAsync(links.Silo);
        goOn.Release();

        await silo.Lost;
        await asking.WaitAsync(TestLinks.Patience);
        await disposing;
        Assert.False(lostDuringFill);
        Assert.Equal((1, 0), (silo.LostCalls, silo.CallsAfterLost));
    }

    [Fact]
    public async Task Dispose_lets_queued_frames_leave_but_gives_no_more_turns()
    {
        var held = await HeldLinks.StartAsync();
        var channels = await held.OpenAsync(2);
        await held.HoldAsync(channels[1]);
        channels[0].SendFrame(FrameKind.Checkpoint, 1);
        channels[1].SendRecords([2]);

        var disposing = held.Links.Silo.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        held.Gate.Open();
        await disposing.WaitAsync(TestLinks.Patience);

        Assert.Equal([1], await held.Gateways[channels[0].Id].NextAsync(FrameKind.Checkpoint));
        Assert.Single(channels[1].Rooms);
        await held.DisposeAsync();
    }

    private static int Put(Span<byte> room, params byte[] bytes)
    {
        bytes.CopyTo(room);
        return bytes.Length;
    }

    private static Task WaitUntilLostAsync(DataLink link) => Support.Eventually.TrueAsync(() => !link.IsAlive, "the link is lost");
}
