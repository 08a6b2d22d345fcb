using System.Net;
using CSsl.EmbeddedCluster.Cluster;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class MissedProbesTests
{
    private static readonly TimeSpan Timely = TimeSpan.FromSeconds(1.1);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1.5);
    private static readonly SiloAddress Silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1);

    private readonly MissedProbes _probes = new(3, TimeSpan.FromSeconds(1));

    [Theory]
    [InlineData(ProbeResult.Silent)]
    [InlineData(ProbeResult.Refused)]
    public void Silo_is_dead_after_three_in_a_row(object result)
        => Assert.Equal([false, false, true], Note((ProbeResult)result, Timely, 3));

    [Fact]
    public void Count_starts_again_when_the_silo_answers()
    {
        Note(ProbeResult.Silent, Timely, 2);
        Note(ProbeResult.Answered, Timely, 1);

        Assert.Equal([false, false, true], Note(ProbeResult.Silent, Timely, 3));
    }

    [Fact]
    public void Silence_does_not_count_when_the_round_took_too_long()
    {
        Note(ProbeResult.Silent, Timely, 2);

        Assert.DoesNotContain(true, Note(ProbeResult.Silent, Late, 10));
        Assert.Equal([true], Note(ProbeResult.Silent, Timely, 1));
    }

    [Fact]
    public void Refusal_counts_also_when_the_round_took_too_long()
        => Assert.Equal([false, false, true], Note(ProbeResult.Refused, Late, 3));

    [Fact]
    public void Silo_that_is_not_probed_any_more_is_forgotten()
    {
        Note(ProbeResult.Silent, Timely, 2);
        _probes.Keep([]);

        Assert.Equal([false, false, true], Note(ProbeResult.Silent, Timely, 3));
    }

    private bool[] Note(ProbeResult result, TimeSpan took, int times) => [.. Enumerable.Range(0, times).Select(_ => _probes.Note(Silo, result, took))];
}
