using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Link;

public class LinkHeartbeatTests
{
    private static readonly LinkOptions Options = new();

    [Fact]
    public async Task Hung_peer_is_found_after_the_peer_timeout()
    {
        var time = new FakeTimeProvider();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        var channel = await peer.OpenAsync(1);
        await SettleAsync(peer);

        time.Advance(Options.PingInterval);
        Tick(time, Options.PeerTimeout - Options.PingInterval);
        Assert.True(peer.Link.IsAlive);
        time.Advance(Options.PingInterval);

        var reason = await peer.End.WaitAsync(TestLinks.Patience);
        Assert.Equal("The peer was silent for 1500 ms.", reason.Message);
        Assert.Same(reason, await channel.Lost);
    }

    [Fact]
    public async Task Timer_that_runs_a_little_fast_does_not_cost_a_tick_more()
    {
        var time = new SuspendableTime();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        await SettleAsync(peer);

        // The first sees that the peer was heard.
        var tick = Options.PingInterval - TimeSpan.FromMilliseconds(1);
        for (var i = 0; i < 6; i++)
            time.Tick(tick);
        Assert.True(peer.Link.IsAlive);
        time.Tick(tick);
        var reason = await peer.End.WaitAsync(TestLinks.Patience);
        Assert.Equal("The peer was silent for 1494 ms.", reason.Message);
    }

    [Fact]
    public async Task Peer_that_says_anything_in_time_is_not_hung()
    {
        var time = new FakeTimeProvider();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        for (var i = 0; i < 10; i++)
        {
            await SettleAsync(peer);
            Tick(time, Options.PeerTimeout - Options.PingInterval);
        }

        Assert.True(peer.Link.IsAlive);
    }

    [Fact]
    public async Task Own_lateness_is_not_blamed_on_the_peer()
    {
        var time = new SuspendableTime();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        await SettleAsync(peer);

        // Suspended for an hour: one tick comes, late. The peer has one more interval after it, and five that make up the timeout.
        time.Suspend(TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
            time.Tick(Options.PingInterval);
        Assert.True(peer.Link.IsAlive);

        await SettleAsync(peer);
        for (var i = 0; i < 4; i++)
            time.Tick(Options.PingInterval);
        time.Suspend(TimeSpan.FromHours(1));
        Assert.True(peer.Link.IsAlive);
        time.Tick(Options.PingInterval);
        time.Tick(Options.PingInterval);
        await peer.End.WaitAsync(TestLinks.Patience);
    }

    [Fact]
    public async Task Peer_is_not_blamed_while_this_end_has_work_in_hand()
    {
        var time = new FakeTimeProvider();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        var channel = await peer.OpenAsync(1);
        using var inFrame = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        channel.Frames = (_, _) =>
        {
            inFrame.Release();
            goOn.Wait(TestLinks.Patience);
        };
        await peer.SendAsync(FrameKind.Eof, 1);
        Assert.True(await inFrame.WaitAsync(TestLinks.Patience));

        Tick(time, 10 * Options.PeerTimeout);

        Assert.True(peer.Link.IsAlive);
        goOn.Release();
    }

    [Fact]
    public async Task Pings_carry_the_load_to_the_other_end()
    {
        var time = new FakeTimeProvider();
        await using var links = await TestLinks.ConnectAsync(time: time);
        links.Silo.Load = new byte[] { 1, 2, 3 };
        Assert.Throws<ArgumentException>(() => links.Silo.Load = new byte[257]);

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(Options.PingInterval);
                return links.Gateway.PeerLoad.Span.SequenceEqual(new byte[] { 1, 2, 3 });
            },
            "the load arrived");
        Assert.True(links.Silo.PeerLoad.IsEmpty);
    }

    [Fact]
    public async Task Round_trip_is_the_time_from_ping_to_pong()
    {
        var time = new FakeTimeProvider();
        await using var peer = await ScriptedPeer.OfSiloAsync(time: time);
        var ping = await peer.NextAsync();
        Assert.Equal((FrameKind.Ping, TimeSpan.Zero), (ping.Kind, peer.Link.RoundTrip));

        time.Advance(TimeSpan.FromMilliseconds(30));
        await peer.SendAsync(FrameKind.Pong, 0, ping.Payload);
        await SettleAsync(peer);

        Assert.Equal(TimeSpan.FromMilliseconds(30), peer.Link.RoundTrip);
    }

    [Fact]
    public async Task Ping_is_answered_with_its_time_stamp()
    {
        await using var peer = await ScriptedPeer.OfSiloAsync();
        await peer.SendAsync(FrameKind.Ping, 0, 1, 2, 3, 4, 5, 6, 7, 8, 99);

        var pong = await peer.NextButPingsAsync();
        Assert.Equal(FrameKind.Pong, pong.Kind);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], pong.Payload);
        await Eventually.TrueAsync(() => peer.Link.PeerLoad.Length == 1, "the load was taken");
    }

    /// <summary>Moves the clock tick by tick: one leap would look like a process that was suspended.</summary>
    private static void Tick(FakeTimeProvider time, TimeSpan by)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < by; passed += Options.PingInterval)
            time.Advance(Options.PingInterval);
    }

    // A byte of the peer has been read, all before it was dispatched, and the read loop waits again.
    private static async Task SettleAsync(ScriptedPeer peer)
    {
        await peer.SendAsync(FrameKind.Ping, 0, new byte[8]);
        while ((await peer.NextAsync()).Kind != FrameKind.Pong)
        {
        }

        await Eventually.TrueAsync(() => peer.Link.IsReading, "the read loop waits");
    }

    /// <summary>A process that is suspended: its clock goes on, its timers don't.</summary>
    private sealed class SuspendableTime : TimeProvider
    {
        private TimerCallback? _tick;
        private object? _state;
        private TimeSpan _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            // The link's timer is the one that is armed later; those of the authentication are never needed here.
            if (dueTime == Timeout.InfiniteTimeSpan)
                (_tick, _state) = (callback, state);
            return new NoTimer();
        }

        public void Tick(TimeSpan later)
        {
            _now += later;
            _tick!(_state);
        }

        public void Suspend(TimeSpan time) => Tick(time);

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
