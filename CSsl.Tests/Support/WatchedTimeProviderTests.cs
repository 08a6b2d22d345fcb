using Xunit;

namespace CSsl.Tests.Support;

/// <summary>The clock is trusted by other tests, so what it adds is tested itself.</summary>
public sealed class WatchedTimeProviderTests
{
    [Fact]
    public async Task Delay_completes_when_the_clock_is_advanced_past_it()
    {
        var clock = new WatchedTimeProvider();
        Task waiting = Task.Run(async () => await Task.Delay(TimeSpan.FromSeconds(10), clock));

        await clock.TimerArmedAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        await waiting;
    }

    [Fact]
    public void Timer_counts_as_armed_until_it_has_fired_for_the_last_time()
    {
        var clock = new WatchedTimeProvider();
        using ITimer once = clock.CreateTimer(static _ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Assert.True(clock.TimerArmedAsync().IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(clock.TimerArmedAsync().IsCompleted);

        ITimer ticking = clock.CreateTimer(static _ => { }, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(clock.TimerArmedAsync(TimeSpan.FromSeconds(2)).IsCompleted);
        Assert.True(clock.TimerArmedAsync(TimeSpan.FromSeconds(3)).IsCompleted);
        ticking.Dispose();
        Assert.False(clock.TimerArmedAsync().IsCompleted);
    }
}
