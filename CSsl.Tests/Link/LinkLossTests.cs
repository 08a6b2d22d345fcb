using CSsl.Link;
using Xunit;

namespace CSsl.Tests.Link;

/// <summary>Links that are lost, and channels that break the rules, in the middle of everything.</summary>
public class LinkLossTests
{
    private const int Channels = 40;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_channel_is_told_once_and_gets_no_call_after_that_when_the_link_is_lost_in_full_flow(bool tcp)
    {
        for (var round = 0; round < 20; round++)
        {
            var random = new Random(round);
            await using var links = await TestLinks.ConnectAsync(tcp ? await Tcp.PairAsync() : InProcessStream.CreatePair());
            var ends = await FlowAsync(links);
            var enough = random.Next(1, 200);

            while (links.Gateway.Counters.Receives < enough)
                await Task.Yield();
            var first = random.Next(2) == 0 ? links.Gateway : links.Silo;
            await first.DisposeAsync();
            await Task.WhenAll(links.GatewayEnd, links.SiloEnd).WaitAsync(TestLinks.Patience);

            Assert.All(ends, c => Assert.Equal((1, 0), (c.LostCalls, c.CallsAfterLost)));
        }
    }

    [Fact]
    public async Task Others_flow_on_while_channels_throw_and_are_released()
    {
        await using var links = await TestLinks.ConnectAsync(await Tcp.PairAsync());
        var ends = await FlowAsync(links);
        var survivor = ends[0];
        var random = new Random(7);

        // A third throws in Fill, a third in OnFrame, a third is released by another thread; the first pair is left alone.
        for (var i = 1; i < Channels; i++)
        {
            var (gateway, silo) = (ends[2 * i], ends[2 * i + 1]);
            switch (i % 3)
            {
                case 0:
                    silo.Filler = _ => throw new FormatException("in Fill");
                    break;
                case 1:
                    gateway.WhenRecords = _ => throw new FormatException("in OnFrame");
                    break;
                default:
                    await Task.Run(gateway.Forget);
                    break;
            }

            if (random.Next(3) == 0)
                await Task.Yield();
        }

        for (var i = 1; i < Channels; i++)
        {
            if (i % 3 == 0)
                await ends[2 * i + 1].Lost;
            if (i % 3 == 1)
                await ends[2 * i].Lost;
        }

        var flowed = new SemaphoreSlim(0);
        survivor.WhenRecords = _ => flowed.Release();
        for (var i = 0; i < 50; i++)
            Assert.True(await flowed.WaitAsync(TestLinks.Patience));
        Assert.True(links.Gateway.IsAlive && links.Silo.IsAlive);
        Assert.All(ends, c => Assert.Equal(0, c.CallsAfterLost));
        Assert.All(ends, c => Assert.InRange(c.LostCalls, 0, 1));
        for (var i = 2; i < Channels; i += 3)
            Assert.Equal(0, ends[2 * i].LostCalls);
    }

    [Fact]
    public async Task Channel_that_is_opened_while_the_link_is_lost_is_refused_or_told()
    {
        for (var round = 0; round < 50; round++)
        {
            await using var links = await TestLinks.ConnectAsync();
            var opened = new List<TestChannel>();
            var refused = 0;
            using var started = new SemaphoreSlim(0);
            var opening = Task.Run(() =>
            {
                while (refused == 0)
                {
                    var channel = new TestChannel();
                    try
                    {
                        links.Gateway.Open(channel, FrameKind.Attach, [1]);
                        opened.Add(channel);
                        if (opened.Count == 20)
                            started.Release();
                    }
                    catch (LinkException)
                    {
                        refused++;
                        Assert.Null(channel.Link);
                    }
                }
            });
            Assert.True(await started.WaitAsync(TestLinks.Patience));

            await links.Silo.DisposeAsync();
            await opening.WaitAsync(TestLinks.Patience);
            await links.GatewayEnd.WaitAsync(TestLinks.Patience);

            Assert.All(opened, c => Assert.Equal((1, 0), (c.LostCalls, c.CallsAfterLost)));
        }
    }

    [Fact]
    public async Task Channel_that_throws_when_it_is_told_does_not_keep_others_from_being_told()
    {
        var links = await TestLinks.ConnectAsync();
        (TestChannel one, _) = await links.OpenAsync();
        (TestChannel two, _) = await links.OpenAsync();
        (TestChannel three, _) = await links.OpenAsync();
        foreach (var channel in new[] { one, two, three })
            channel.WhenLost = () => throw new FormatException("broken");

        await links.DisposeAsync();

        Assert.Equal((1, 1, 1), (one.LostCalls, two.LostCalls, three.LostCalls));
    }

    [Fact]
    public async Task Link_that_never_ran_tells_its_channels_when_it_is_disposed()
    {
        var (one, other) = InProcessStream.CreatePair();
        var connecting = DataLink.ConnectAsync(one, new LinkIdentity("gateway-1", "test"), TestLinks.Key, null, new LinkOptions(), TimeProvider.System, TestLinks.Engine, default);
        using var peer = await LinkAuthentication.RunAsync(other, LinkEnd.Silo, 1, new LinkIdentity("silo-1", "test"), TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        var link = await connecting;
        var channel = new TestChannel();
        link.Open(channel, FrameKind.Attach, [1]);

        await link.DisposeAsync();

        Assert.Equal("This end closed the link.", (await channel.Lost).Message);
        Assert.Same(await channel.Lost, await link.RunAsync(default));
    }

    [Fact]
    public async Task Cancelling_the_run_ends_the_link_at_once()
    {
        var (one, other) = InProcessStream.CreatePair();
        var connecting = DataLink.ConnectAsync(one, new LinkIdentity("gateway-1", "test"), TestLinks.Key, null, new LinkOptions(), TimeProvider.System, TestLinks.Engine, default);
        using var peer = await LinkAuthentication.RunAsync(other, LinkEnd.Silo, 1, new LinkIdentity("silo-1", "test"), TestLinks.Key, TestLinks.Patience, TimeProvider.System, default);
        await using var link = await connecting;
        using var cancel = new CancellationTokenSource();
        var run = link.RunAsync(cancel.Token);

        await cancel.CancelAsync();

        Assert.Equal("This end closed the link.", (await run.WaitAsync(TestLinks.Patience)).Message);
    }

    // Every channel sends for ever, both ways; gateway's and silo's end of each, in turn.
    private static async Task<List<TestChannel>> FlowAsync(TestLinks links)
    {
        var ends = new List<TestChannel>();
        for (var i = 0; i < Channels; i++)
        {
            var (gateway, silo) = await links.OpenAsync();
            foreach (var end in new[] { gateway, silo })
            {
                (end.Discards, end.Returns) = (true, true);
                end.Filler = _ =>
                {
                    end.AskForTurn();
                    return 1000;
                };
                ends.Add(end);
            }
        }

        Parallel.ForEach(ends, end => end.AskForTurn());
        return ends;
    }
}
