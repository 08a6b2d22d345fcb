using CSsl.Gateway.Lifecycle;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Gateway.Lifecycle;

/// <summary>Rates of the last second.</summary>
public sealed class RateMeterTests
{
    [Fact]
    public void Rate_is_over_the_last_two_intervals()
    {
        var clock = new ManualTimeProvider();
        var meter = new RateMeter(clock);
        Assert.Equal(0, meter.Read(1000));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(200, meter.Read(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(100, meter.Read(1100));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(0, meter.Read(1100));
    }
}
