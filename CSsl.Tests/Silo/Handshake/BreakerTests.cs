using CSsl.Silo.Handshake;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Silo.Handshake;

public sealed class BreakerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Pauses_double_up_to_the_longest_and_end_with_success()
    {
        var breaker = new Breaker(_time);
        Assert.True(breaker.IsClosed);
        var expected = Breaker.FirstPause;
        for (var failures = 0; failures < 6; failures++)
        {
            Assert.Equal(failures == 0, breaker.Failed());
            Assert.False(breaker.IsClosed);
            _time.Advance(expected - TimeSpan.FromTicks(1));
            Assert.False(breaker.IsClosed);
            _time.Advance(TimeSpan.FromTicks(1));
            Assert.True(breaker.IsClosed);
            expected = expected * 2 > Breaker.LongestPause ? Breaker.LongestPause : expected * 2;
        }

        Assert.True(breaker.Worked());
        Assert.False(breaker.Worked());
        Assert.True(breaker.Failed());
        _time.Advance(Breaker.FirstPause);
        Assert.True(breaker.IsClosed);
    }

    [Fact]
    public void Failures_within_a_pause_are_one()
    {
        var breaker = new Breaker(_time);
        breaker.Failed();
        for (var i = 0; i < 10; i++)
            Assert.False(breaker.Failed());
        _time.Advance(Breaker.FirstPause);
        Assert.True(breaker.IsClosed);
    }
}
