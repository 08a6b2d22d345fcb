using System.Net;
using CSsl.Gateway.Admission;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>How fast one source may be.</summary>
public sealed class SourceRatesTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Source_may_burst_and_then_keeps_to_its_rate()
    {
        var rates = new SourceRates(rate: 10, burst: 5, _clock);
        var source = IPAddress.Parse("192.0.2.1");
        Assert.Equal(5, Taken(rates, source, 20));
        _clock.Advance(TimeSpan.FromSeconds(0.3));
        Assert.Equal(3, Taken(rates, source, 20));
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(5, Taken(rates, source, 20));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8::1", "2001:db8::ffff:1:2:3", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    public void Addresses_of_one_customer_share_a_bucket(string first, string second, bool isShared)
    {
        var rates = new SourceRates(rate: 1, burst: 1, _clock);
        Assert.True(rates.TryTake(IPAddress.Parse(first)));
        Assert.Equal(!isShared, rates.TryTake(IPAddress.Parse(second)));
    }

    [Fact]
    public void Without_a_rate_there_is_no_limit()
        => Assert.Equal(10_000, Taken(new SourceRates(0, 1, _clock), IPAddress.Loopback, 10_000));

    [Fact]
    public void More_sources_than_the_table_has_room_for_are_served_and_a_busy_one_is_not_forgotten_for_quiet_ones()
    {
        var rates = new SourceRates(rate: 1, burst: 10, _clock);
        var busy = IPAddress.Parse("198.51.100.7");
        Assert.Equal(10, Taken(rates, busy, 20));
        for (uint i = 0; i < 2 * SourceRates.Capacity; i++)
            Assert.True(rates.TryTake(new IPAddress(0x0A000000L + i)));
        Assert.Equal(0, Taken(rates, busy, 20));
    }

    private static int Taken(SourceRates rates, IPAddress source, int attempts) => Enumerable.Range(0, attempts).Count(_ => rates.TryTake(source));
}
