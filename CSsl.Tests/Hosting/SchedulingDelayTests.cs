using CSsl.Hosting;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Hosting;

public sealed class SchedulingDelayTests
{
    [Fact]
    public void Timer_that_fires_in_time_is_no_delay()
    {
        var clock = new FakeTimeProvider();
        using var delay = new SchedulingDelay(clock);
        for (var i = 0; i < 20; i++)
            clock.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(0, delay.Read());
    }

    [Fact]
    public void Timer_that_did_not_fire_counts_as_late_as_it_is()
    {
        var clock = new HeldTimers();
        using var delay = new SchedulingDelay(clock);
        clock.Now += TimeSpan.FromMilliseconds(450);
        Assert.Equal(0.4, delay.Read(), 6);

        clock.Fire();
        Assert.Equal(0.4, delay.Read(), 6);
        Assert.Equal(0, delay.Read());
    }

    [Fact]
    public void Timer_that_fires_in_time_fires_less_often_until_it_is_late()
    {
        var clock = new HeldTimers();
        using var delay = new SchedulingDelay(clock);
        List<double> intervals = [];
        for (var i = 0; i < 5; i++)
        {
            clock.Now += clock.Due;
            clock.Fire();
            intervals.Add(clock.Due.TotalMilliseconds);
        }

        Assert.Equal([100, 200, 400, 400, 400], intervals);

        clock.Now += clock.Due + TimeSpan.FromMilliseconds(20);
        clock.Fire();
        Assert.Equal(50, clock.Due.TotalMilliseconds);
    }

    /// <summary>A machine that has no time for timers until the test lets it.</summary>
    private sealed class HeldTimers : TimeProvider
    {
        private Action _fire = static () => { };

        public TimeSpan Now { get; set; }

        /// <summary>When the timer should fire.</summary>
        public TimeSpan Due { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public void Fire() => _fire();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            Due = dueTime;
            return new HeldTimer(this);
        }

        private sealed class HeldTimer(HeldTimers clock) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                clock.Due = dueTime;
                return true;
            }

            public void Dispose()
            {
                // Fires when the test says so.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
