using CSsl.Gateway;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway;

public sealed class RestingTimerTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly FakeTimeProvider _time = new();
    private int _ticks;
    private int _left;

    [Fact]
    public void Nothing_to_do_is_no_tick()
    {
        using var timer = New();
        Pass(10);
        Assert.Equal(0, _ticks);
    }

    [Fact]
    public void It_ticks_until_nothing_is_left_and_again_when_there_is()
    {
        using var timer = New();
        _left = 3;
        timer.Wake();
        timer.Wake();
        Pass(10);
        Assert.Equal(3, _ticks);

        _left = 1;
        timer.Wake();
        Pass(10);
        Assert.Equal(4, _ticks);
    }

    [Fact]
    public void What_comes_while_it_ticks_is_not_forgotten()
    {
        RestingTimer? timer = null;
        using var own = timer = new RestingTimer(
            Interval,
            () =>
            {
                if (++_ticks == 1)
                    timer!.Wake();
                return false;
            },
            _time);
        timer.Wake();
        Pass(10);
        Assert.Equal(2, _ticks);
    }

    private RestingTimer New() => new(
        Interval,
        () =>
        {
            _ticks++;
            return --_left > 0;
        },
        _time);

    private void Pass(int intervals)
    {
        for (var i = 0; i < intervals; i++)
            _time.Advance(Interval);
    }
}
