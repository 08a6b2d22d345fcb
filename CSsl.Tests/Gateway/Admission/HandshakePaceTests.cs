using CSsl.Gateway.Admission;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>How many handshakes begin per second when there is no CPU left.</summary>
public sealed class HandshakePaceTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly FakeTimeProvider _clock = new();
    private readonly HandshakePace _pace;

    public HandshakePaceTests() => _pace = new HandshakePace(_clock);

    [Fact]
    public void All_begin_while_there_is_CPU()
    {
        Assert.Equal(10_000, Begin(10_000));
        Observe(isFull: false);
        Assert.Equal(10_000, Begin(10_000));
        Assert.Equal(double.PositiveInfinity, _pace.Rate);
    }

    [Fact]
    public void Pace_comes_down_from_what_began_to_the_least_within_three_seconds()
    {
        Begin(500);
        Observe(isFull: true, least: 100);
        Assert.Equal(700, _pace.Rate);
        for (var i = 0; i < 4; i++)
            ObserveStorm(isFull: true, least: 100);
        Assert.InRange(_pace.Rate, 101, 200);
        ObserveStorm(isFull: true, least: 100);
        ObserveStorm(isFull: true, least: 100);
        Assert.Equal(100, _pace.Rate);
    }

    [Fact]
    public void Pace_that_leaves_room_grows_and_goes_when_nobody_needs_it()
    {
        Begin(50);
        Observe(isFull: true, least: 100);
        Assert.Equal(100, _pace.Rate);
        ObserveStorm(isFull: false);
        Assert.Equal(120, _pace.Rate);

        Begin(1);
        Observe(isFull: false);
        Assert.Equal(double.PositiveInfinity, _pace.Rate);
    }

    [Fact]
    public void Who_comes_all_at_once_is_spread_over_time()
    {
        Observe(isFull: true, least: 100);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(10, Begin(1000));
        _clock.Advance(TimeSpan.FromMilliseconds(30));
        Assert.Equal(3, Begin(1000));
    }

    [Fact]
    public void Slowest_pace_still_lets_one_begin()
    {
        Observe(isFull: true, least: 0.5);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, Begin(10));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, Begin(10));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Begin(10));
    }

    [Fact]
    public void No_limit_is_none_however_full_it_is()
    {
        Begin(1000);
        Observe(isFull: true, least: double.PositiveInfinity);
        Assert.Equal(double.PositiveInfinity, _pace.Rate);
    }

    private void Observe(bool isFull, double least = 0)
    {
        _clock.Advance(Interval);
        _pace.Observe(isFull, least);
    }

    /// <summary>As many as may begin do, all the time until the next reading.</summary>
    private void ObserveStorm(bool isFull, double least = 0)
    {
        for (var step = 0; step < 50; step++)
        {
            _clock.Advance(Interval / 50);
            Begin(1000);
        }

        _pace.Observe(isFull, least);
    }

    private int Begin(int wanted) => Enumerable.Range(0, wanted).Count(_ => _pace.TryTake());
}
