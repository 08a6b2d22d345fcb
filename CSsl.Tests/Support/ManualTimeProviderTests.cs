using Xunit;

namespace CSsl.Tests.Support;

/// <summary>The fake clock is trusted by other tests, so it is tested itself.</summary>
public sealed class ManualTimeProviderTests
{
    [Fact]
    public void Timers_fire_in_due_order_at_their_own_time()
    {
        var clock = new ManualTimeProvider();
        DateTimeOffset start = clock.GetUtcNow();
        var fired = new List<(string Name, TimeSpan At)>();
        using ITimer late = clock.CreateTimer(_ => fired.Add(("late", clock.GetUtcNow() - start)), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using ITimer ticking = clock.CreateTimer(_ => fired.Add(("tick", clock.GetUtcNow() - start)), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        clock.Advance(TimeSpan.FromSeconds(3.5));

        Assert.Equal([("tick", TimeSpan.FromSeconds(1)), ("late", TimeSpan.FromSeconds(3)), ("tick", TimeSpan.FromSeconds(3))], fired);
        Assert.Equal(TimeSpan.FromSeconds(3.5), clock.GetElapsedTime(0));
        Assert.Equal(1, clock.ArmedTimers);
    }

    [Fact]
    public async Task Delay_completes_when_the_clock_is_advanced_past_it()
    {
        var clock = new ManualTimeProvider();
        Task waiting = Task.Run(async () => await clock.Delay(TimeSpan.FromSeconds(10)));

        await clock.TimerArmedAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        await waiting;
    }

    [Fact]
    public void Cancellation_after_a_time_follows_the_clock()
    {
        var clock = new ManualTimeProvider();
        using var source = new CancellationTokenSource(TimeSpan.FromSeconds(5), clock);
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.False(source.IsCancellationRequested);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(source.IsCancellationRequested);
    }
}

internal static class ManualTimeProviderExtensions
{
    /// <summary>Waits by the given clock.</summary>
    public static Task Delay(this TimeProvider clock, TimeSpan time) => Task.Delay(time, clock);
}
