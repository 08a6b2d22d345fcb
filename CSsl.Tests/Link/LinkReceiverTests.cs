using CSsl.Link;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>What a link does with the frames of a peer that keeps the rules, and of one that doesn't.</summary>
public class LinkReceiverTests
{
    public static TheoryData<string, byte[]> FramesThatEndTheLink => new()
    {
        { "unknown kind", ScriptedPeer.Frame((FrameKind)99, 1) },
        { "kind 0", ScriptedPeer.Frame(0, 1) },
        { "a silo's kind from a gateway", ScriptedPeer.Frame(FrameKind.Flight, 1) },
        { "Goodbye from a gateway", ScriptedPeer.Frame(FrameKind.Goodbye, 0) },
        { "a channel's kind on channel 0", ScriptedPeer.Frame(FrameKind.Records, 0, 1) },
        { "the link's kind on a channel", ScriptedPeer.Frame(FrameKind.Ping, 1, new byte[8]) },
        { "Hello once more", ScriptedPeer.Frame(FrameKind.Hello, 0, new byte[60]) },
        { "a channel that was never opened", ScriptedPeer.Frame(FrameKind.Records, 77, 1) },
        { "a channel opened twice", ScriptedPeer.Frame(FrameKind.Attach, 1, 1) },
        { "ping without a time stamp", ScriptedPeer.Frame(FrameKind.Ping, 0, new byte[7]) },
        { "ping with too large a load", ScriptedPeer.Frame(FrameKind.Ping, 0, new byte[265]) },
        { "pong to no ping", ScriptedPeer.Frame(FrameKind.Pong, 0, [255, 255, 255, 255, 255, 255, 255, 127]) },
        { "pong of a wrong length", ScriptedPeer.Frame(FrameKind.Pong, 0, 1) },
        { "a length over the limit", [1, 0, 2, 0, 1, 0, 0, 0, 34, 0, 0, 0] },
        { "a reserved byte", [1, 0, 0, 0, 1, 0, 0, 0, 34, 0, 1, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(FramesThatEndTheLink))]
    public async Task Link_ends_when_the_stream_of_frames_can_not_be_believed(string why, byte[] frame)
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);

        await peer.SendRawAsync(frame);

        var reason = await peer.End.WaitAsync(TestLinks.Patience);
        Assert.StartsWith("The peer ", reason.Message, StringComparison.Ordinal);
        Assert.True(ReferenceEquals(reason, await channel.Lost), why);
    }

    [Theory]
    [InlineData(FrameKind.Attach)]
    [InlineData(FrameKind.HandshakeStart)]
    [InlineData(FrameKind.Eof)]
    public async Task Link_ends_when_a_silo_sends_what_only_gateways_send(FrameKind kind)
    {
        await using var peer = await ScriptedPeer.OfGatewayAsync();
        peer.Link.Open(new TestChannel(), FrameKind.Attach, [1]);

        await peer.SendAsync(kind, 1);

        await peer.End.WaitAsync(TestLinks.Patience);
    }

    [Fact]
    public async Task Link_ends_when_a_silo_uses_a_channel_that_the_gateway_has_not_opened()
    {
        await using var peer = await ScriptedPeer.OfGatewayAsync();
        peer.Link.Open(new TestChannel(), FrameKind.Attach, [1]);

        await peer.SendAsync(FrameKind.Records, 2, 1);

        Assert.Contains("never opened", (await peer.End.WaitAsync(TestLinks.Patience)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frames_for_a_released_channel_are_dropped()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var first = await peer.OpenAsync(1);
        var second = await peer.OpenAsync(5);
        first.Forget();

        await peer.SendAsync(FrameKind.Records, 1, 1);
        await peer.SendAsync(FrameKind.Window, 1, ScriptedPeer.U32(uint.MaxValue));
        await peer.SendAsync(FrameKind.Records, 3, 1);
        await peer.SendAsync(FrameKind.Records, 5, 2);

        Assert.Equal([2], await second.NextAsync(FrameKind.Records));
        Assert.False(first.TryNext(out _));
        await peer.HangUpAsync();
        await second.Lost;
        Assert.Equal(0, first.LostCalls);
    }

    [Fact]
    public async Task Channel_that_the_silo_does_not_take_is_refused_and_its_frames_are_dropped()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        peer.Acceptor.Make = _ => null;

        await peer.SendAsync(FrameKind.Attach, 1, 1);
        await peer.SendAsync(FrameKind.Records, 1, 1);

        AssertClose(CloseReason.Refused, 1, await peer.NextButPingsAsync());
        Assert.True(peer.Link.IsAlive);
        Assert.Equal(0, peer.Link.ChannelCount);
    }

    [Fact]
    public async Task Channel_is_refused_when_accepting_it_throws()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        peer.Acceptor.Make = _ => throw new InvalidOperationException("full");

        await peer.SendAsync(FrameKind.HandshakeStart, 1, 1);

        AssertClose(CloseReason.Refused, 1, await peer.NextButPingsAsync());
        Assert.True(peer.Link.IsAlive);
    }

    [Fact]
    public async Task Channel_is_closed_at_both_ends_and_the_link_lives_when_OnFrame_throws()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);
        var other = await peer.OpenAsync(2);
        var cause = new FormatException("broken");
        channel.Frames = (_, _) => throw cause;
        var batchEnds = 0;
        channel.BatchEnd = () => batchEnds++;

        await peer.SendAsync(FrameKind.Eof, 1);

        AssertClose(CloseReason.Aborted, 1, await peer.NextButPingsAsync());
        Assert.Same(cause, (await channel.Lost).InnerException);
        await peer.SendAsync(FrameKind.Eof, 1);
        await peer.SendAsync(FrameKind.Eof, 2);
        await other.NextAsync(FrameKind.Eof);
        Assert.Equal((1, 0, 0), (channel.LostCalls, channel.CallsAfterLost, batchEnds));
    }

    [Fact]
    public async Task Channel_is_closed_when_OnBatchEnd_throws()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);
        channel.BatchEnd = () => throw new FormatException("broken");

        await peer.SendAsync(FrameKind.Eof, 1);

        AssertClose(CloseReason.Aborted, 1, await peer.NextButPingsAsync());
        await channel.Lost;
    }

    [Fact]
    public async Task OnBatchEnd_comes_once_after_all_frames_of_a_read()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var one = await peer.OpenAsync(1);
        var two = await peer.OpenAsync(2);
        var calls = new List<string>();
        one.Frames = (_, f) => calls.Add($"1:{f.Payload[0]}");
        two.Frames = (_, f) => calls.Add($"2:{f.Payload[0]}");
        one.BatchEnd = () => calls.Add("1:end");
        two.BatchEnd = () => calls.Add("2:end");

        await peer.SendRawAsync(
        [
            .. ScriptedPeer.Frame(FrameKind.Records, 1, 1),
            .. ScriptedPeer.Frame(FrameKind.Records, 2, 2),
            .. ScriptedPeer.Frame(FrameKind.Records, 1, 3),
            .. ScriptedPeer.Frame(FrameKind.Ping, 0, new byte[8]),
        ]);
        while ((await peer.NextAsync()).Kind != FrameKind.Pong)
        {
        }

        Assert.Equal(["1:1", "2:2", "1:3", "1:end", "2:end"], calls);
    }

    [Fact]
    public async Task OnBatchEnd_comes_though_the_channel_was_released_by_one_of_the_frames()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);
        var ended = new TaskCompletionSource();
        channel.Frames = (c, _) => c.Forget();
        channel.BatchEnd = () => ended.TrySetResult();

        await peer.SendAsync(FrameKind.Eof, 1);

        await ended.Task.WaitAsync(TestLinks.Patience);
    }

    [Fact]
    public async Task Answers_to_the_frames_of_one_read_leave_in_one_write()
    {
        GatedStream? gate = null;
        await using var links = await TestLinks.ConnectAsync(time: new FakeTimeProvider(), wrapSilo: s => gate = new GatedStream(s), wrapGateway: s => s);
        var silos = new List<TestChannel>();
        var gateways = new List<TestChannel>();
        for (var i = 0; i < 16; i++)
        {
            var (gateway, silo) = await links.OpenAsync();
            silo.Frames = (c, f) =>
            {
                if (f.Kind == FrameKind.Eof)
                    c.SendRecords([(byte)c.Id]);
            };
            (gateways, silos) = ([.. gateways, gateway], [.. silos, silo]);
        }

        // The gateway's end is made to send all sixteen in one write: they are queued from within one Fill.
        var asking = gateways[0];
        asking.Filler = _ =>
        {
            foreach (var gateway in gateways)
                gateway.SendFrame(FrameKind.Eof);
            return 0;
        };
        gate!.Hold();
        gate.Open();
        asking.AskForTurn();

        var write = await gate.NextChannelWriteAsync();
        Assert.Equal(silos.Select(s => s.Id), write.Select(f => f.Channel));
    }

    [Theory]
    [InlineData(LinkChannel.MinimumRoom + 1, 1)]
    [InlineData(1, 0)]
    public async Task Channel_is_closed_and_the_link_lives_when_the_peer_overruns_its_credit(int bytes, int creditLeft)
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(new LinkOptions { ChannelCredit = 1000 });
        var channel = await peer.OpenAsync(1);
        await peer.SendAsync(FrameKind.Records, 1, new byte[1000 - creditLeft]);
        await channel.NextAsync(FrameKind.Records);

        await peer.SendAsync(FrameKind.Records, 1, new byte[bytes]);

        AssertClose(CloseReason.Aborted, 1, await peer.NextButPingsAsync());
        Assert.Contains("no credit", (await channel.Lost).Message, StringComparison.Ordinal);
        Assert.False(channel.TryNext(out _));
        Assert.True(peer.Link.IsAlive);
    }

    [Fact]
    public async Task One_whole_record_may_overshoot_the_credit()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(new LinkOptions { ChannelCredit = 1000 });
        var channel = await peer.OpenAsync(1);
        await peer.SendAsync(FrameKind.Records, 1, new byte[999]);
        await peer.SendAsync(FrameKind.Records, 1, new byte[LinkChannel.MinimumRoom]);

        Assert.Equal(999, (await channel.NextAsync(FrameKind.Records)).Length);
        Assert.Equal(LinkChannel.MinimumRoom, (await channel.NextAsync(FrameKind.Records)).Length);
    }

    [Fact]
    public async Task Empty_records_close_the_channel()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);

        await peer.SendAsync(FrameKind.Records, 1);

        AssertClose(CloseReason.Aborted, 1, await peer.NextButPingsAsync());
        await channel.Lost;
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public async Task Channel_is_closed_when_the_peer_gives_back_more_than_it_took(uint window)
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        var channel = await peer.OpenAsync(1);

        await peer.SendAsync(FrameKind.Window, 1, ScriptedPeer.U32(window));

        AssertClose(CloseReason.Aborted, 1, await peer.NextButPingsAsync());
        await channel.Lost;
        Assert.True(peer.Link.IsAlive);
    }

    [Fact]
    public async Task Peer_that_closes_in_the_middle_of_a_frame_is_named_as_such()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
        Assert.Equal(FrameKind.Ping, (await peer.NextAsync()).Kind);
        await peer.SendUnsealedAsync(peer.Seal(ScriptedPeer.Frame(FrameKind.Attach, 1, 1, 2, 3))[..^1]);

        Assert.Equal("The peer closed the link in the middle of a frame.", (await peer.HangUpAsync()).Message);
    }

    [Fact]
    public async Task Last_frames_of_a_peer_are_delivered_though_writing_to_it_fails()
    {
        GatedStream? gate = null;
        await using var links = await TestLinks.ConnectAsync(wrapGateway: s => gate = new GatedStream(new ChoppedStream(s, new Random(1), 16)));
        var (gateway, silo) = await links.OpenAsync();
        gateway.Frames = (c, f) =>
        {
            if (f.Kind != FrameKind.Attached)
                return;
            gate!.Break();
            c.SendFrame(FrameKind.Eof);
        };

        silo.SendFrame(FrameKind.Attached);
        silo.SendRecords(new byte[10_000]);
        await gateway.NextAsync(FrameKind.Attached);
        await links.Silo.DisposeAsync();

        Assert.Equal(10_000, (await gateway.NextAsync(FrameKind.Records)).Length);
        Assert.Equal("Writing to the peer failed: broken", (await links.GatewayEnd.WaitAsync(TestLinks.Patience)).Message);
    }

    [Fact]
    public async Task Goodbye_of_the_silo_is_seen_and_channels_go_on()
    {
        await using var links = await TestLinks.ConnectAsync();
        var (gateway, silo) = await links.OpenAsync();
        Assert.False(links.Gateway.PeerLeaving);

        links.Silo.SayGoodbye();
        silo.SendRecords([1]);

        await gateway.NextAsync(FrameKind.Records);
        Assert.True(links.Gateway.PeerLeaving);
        Assert.True(links.Gateway.IsAlive);
        Assert.Throws<InvalidOperationException>(links.Gateway.SayGoodbye);
    }

    [Fact]
    public async Task Link_survives_or_says_why_when_a_stream_of_frames_is_mutated()
    {
        byte[] stream =
        [
            .. ScriptedPeer.Frame(FrameKind.Attach, 1, 1, 2, 3),
            .. ScriptedPeer.Frame(FrameKind.HandshakeStart, 2, 4),
            .. ScriptedPeer.Frame(FrameKind.Records, 1, new byte[300]),
            .. ScriptedPeer.Frame(FrameKind.Ping, 0, new byte[20]),
            .. ScriptedPeer.Frame(FrameKind.Eof, 1),
            .. ScriptedPeer.Frame(FrameKind.Close, 2, 5),
        ];
        // Whatever a mutant leaves unfinished, this finishes, and is no frame itself.
        var terminator = new byte[LinkChannel.MaxPayload + (2 * FrameHeader.Size)];
        terminator.AsSpan().Fill(0xFF);
        var random = new Random(20261122);
        var misbehaved = 0;
        for (var round = 0; round < 500; round++)
        {
            await using var peer = await ScriptedPeer.OfSiloAsync(time: new FakeTimeProvider());
            var channels = new List<TestChannel>();
            peer.Acceptor.Make = _ =>
            {
                var channel = new TestChannel();
                channels.Add(channel);
                return channel;
            };
            await peer.SendRawAsync([.. Mutation.Of(stream, random), .. terminator]);

            var reason = await peer.End.WaitAsync(TestLinks.Patience);
            Assert.StartsWith("The peer ", reason.Message, StringComparison.Ordinal);
            if (!reason.Message.Contains($"a frame of {uint.MaxValue} bytes", StringComparison.Ordinal))
                misbehaved++;
            foreach (var channel in channels.Where(c => c.Link is not null))
                await channel.Lost;
            Assert.All(channels, c => Assert.InRange(c.LostCalls, 0, 1));
            Assert.All(channels, c => Assert.Equal(0, c.CallsAfterLost));
        }

        Assert.InRange(misbehaved, 1, 499);
    }

    private static void AssertClose(CloseReason reason, uint channel, Frame frame)
    {
        Assert.Equal((FrameKind.Close, channel), (frame.Kind, frame.Channel));
        Assert.Equal(reason, Close.Decode(frame.Payload).Reason);
    }
}
