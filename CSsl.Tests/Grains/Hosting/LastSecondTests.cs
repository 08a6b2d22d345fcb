using CSsl.Grains.Hosting;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Grains.Hosting;

/// <summary>Rates of the last second.</summary>
public sealed class LastSecondTests
{
    [Fact]
    public void Growth_is_over_the_last_two_half_seconds()
    {
        var clock = new ManualTimeProvider();
        var samples = new LastSecond<long>(clock);
        Assert.Equal((1000, 0), samples.Since(1000));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1000, 0.5), samples.Since(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1000, 1), samples.Since(1200));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal((1100, 1), samples.Since(1300));
    }
}
