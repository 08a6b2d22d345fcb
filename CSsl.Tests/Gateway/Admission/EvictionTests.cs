using CSsl.Gateway.Admission;
using Xunit;

namespace CSsl.Tests.Gateway.Admission;

public sealed class EvictionTests
{
    [Fact]
    public void Who_has_not_shaken_hands_in_time_goes_whatever_is_wanted()
        => Assert.Equal(["silent", "shaking"], Chosen(1, ("silent", Idleness.Silent, 0.3), ("shaking", Idleness.Handshake, 3), ("asleep", Idleness.Asleep, 100), ("new", Idleness.Silent, 0.2), ("slow", Idleness.Handshake, 2.9)));

    [Fact]
    public void Sleeping_ones_go_before_idle_ones_and_the_longest_quiet_first()
    {
        (string, Idleness, double)[] all = [("idle", Idleness.Idle, 50), ("young", Idleness.Idle, 0.9), ("asleep 5", Idleness.Asleep, 5), ("asleep 9", Idleness.Asleep, 9), ("busy", Idleness.Busy, 1000)];
        Assert.Equal(["asleep 9"], Chosen(1, all));
        Assert.Equal(["asleep 5", "asleep 9"], Chosen(2, all));
        Assert.Equal(["asleep 5", "asleep 9", "idle"], Chosen(10, all));
    }

    [Fact]
    public void No_client_goes_for_sockets_that_are_about_to_go_themselves()
    {
        (string, Idleness, double)[] all = [("a", Idleness.Silent, 0.1), ("b", Idleness.Silent, 0.1), ("asleep 5", Idleness.Asleep, 5), ("asleep 9", Idleness.Asleep, 9)];
        Assert.Empty(Chosen(2, all));
        Assert.Equal(["asleep 9"], Chosen(3, all));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Nobody_who_has_a_session_goes_when_no_place_is_wanted(int wanted) => Assert.Empty(Chosen(wanted, ("asleep", Idleness.Asleep, 100), ("idle", Idleness.Idle, 100)));

    private static IEnumerable<string> Chosen(int wanted, params (string, Idleness, double Quiet)[] all)
        => Eviction.Choose(all.Select(static connection => (connection.Item1, connection.Item2, TimeSpan.FromSeconds(connection.Quiet))), wanted).Select(static connection => connection.Connection).Order(StringComparer.Ordinal).OrderBy(static name => name is "silent" ? 0 : 1);
}
