using CSsl.Hosting;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Hosting;

/// <summary>The reason that a line gives for a grain that can't be reached.</summary>
public sealed class ClusterTroubleTests
{
    private const string Envelope = "Forwarding failed: tried to forward message [Request S127.0.0.1:20011:1 sys.svc->S127.0.0.1:20012:1 cluster/0]\n   at Orleans.Runtime.Foo()\n for 2 times.";

    [Fact]
    public void Reason_is_short_whatever_Orleans_says()
    {
        Assert.Equal("no answer in time", ClusterTrouble.ReasonOf(new TimeoutException("Response did not arrive on time in 00:00:02 for message: [Request ...]. About to break its promise.")));
        Assert.Equal("its silo is gone, or not reachable", ClusterTrouble.ReasonOf(new SiloUnavailableException(Envelope)));
        Assert.Equal("its silo is gone, or not reachable", ClusterTrouble.ReasonOf(new InvalidOperationException("outer", new SiloUnavailableException(Envelope))));
        Assert.Equal("no silo takes calls", ClusterTrouble.ReasonOf(new GatewayTooBusyException(Envelope)));
    }

    [Fact]
    public void Reason_is_the_first_line_of_a_grain_s_own_words()
    {
        Assert.Equal("the database is away", ClusterTrouble.ReasonOf(new InvalidOperationException("the database is away.\r\nand more")));
        Assert.Equal(123, ClusterTrouble.ReasonOf(new InvalidOperationException(new string('x', 5000))).Length);
    }
}
