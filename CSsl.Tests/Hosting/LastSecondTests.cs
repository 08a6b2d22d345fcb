using CSsl.Hosting;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Hosting;

/// <summary>Rates of the last second.</summary>
public sealed class LastSecondTests
{
    [Fact]
    public void Growth_is_over_the_last_two_half_seconds()
    {
        var clock = new FakeTimeProvider();
        var samples = new LastSecond<long>(clock);
        Assert.Equal((1000, 0), samples.Since(1000));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1000, 1 / 0.5), samples.Since(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1000, 1 / 1.0), samples.Since(1200));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1100, 1 / 1.0), samples.Since(1300));
    }

    [Fact]
    public void Rate_is_over_the_last_two_intervals()
    {
        var clock = new FakeTimeProvider();
        var samples = new LastSecond<long>(clock);
        Assert.Equal(0, Rate(1000));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(200, Rate(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(100, Rate(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(0, Rate(1100));

        double Rate(long count)
        {
            var (then, perSecond) = samples.Since(count);
            return (count - then) * perSecond;
        }
    }
}
