using CSsl.Gateway.Admission;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>As many handshakes at once as are answered promptly.</summary>
public sealed class AdaptiveLimitTests
{
    [Fact]
    public void Limit_comes_down_by_how_slow_the_silos_are_and_goes_up_again()
    {
        var limit = new AdaptiveLimit(10_000);
        limit.Observe(stepTime: 0.001, silos: 2, underWay: 5000);
        Assert.Equal(10_000, limit.Current);

        limit.Observe(stepTime: 0.5, silos: 2, underWay: 4000);
        Assert.Equal(400, limit.Current);
        limit.Observe(stepTime: 60, silos: 2, underWay: 400);
        Assert.Equal(2 * AdaptiveLimit.LeastPerSilo, limit.Current);

        for (var i = 0; i < 12; i++)
            limit.Observe(stepTime: 0.01, silos: 2, underWay: limit.Current);
        Assert.Equal(10_000, limit.Current);
    }

    [Fact]
    public void Limit_never_exceeds_what_is_configured()
    {
        var limit = new AdaptiveLimit(10);
        limit.Observe(stepTime: 60, silos: 50, underWay: 10);
        Assert.Equal(10, limit.Current);
    }

    [Fact]
    public void Closed_system_settles_at_the_time_that_is_aimed_at()
    {
        // Silos that do 1,000 steps a second, and as many clients as the gateway lets in.
        var limit = new AdaptiveLimit(10_000);
        for (var i = 0; i < 50; i++)
            limit.Observe(stepTime: limit.Current / 1000.0, silos: 1, underWay: limit.Current);
        Assert.InRange(limit.Current, 30, 100);
    }
}
