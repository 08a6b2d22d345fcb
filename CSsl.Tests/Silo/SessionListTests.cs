using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>Sessions of a cluster are listed, by a silo as it is.</summary>
public sealed class SessionListTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int Asking = 30;

    [Fact]
    public async Task Who_asks_does_not_wait_for_a_gateway_that_is_silent_for_others_who_asked_before()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var grains = silo.Application.Services.GetRequiredService<IGrainFactory>();
        var mute = new PushedGateway { Sessions = null };
        await grains.GetGrain<IClusterGrain>(0).ReportGateway(Reports.Gateway("mute"), grains.CreateObjectReference<IGatewayObserver>(mute), default, CancellationToken.None);

        // More than there are activations of the grain that asks. A call that has no answer within 5 s fails.
        var lists = await Task.WhenAll(Enumerable.Range(0, Asking).Select(_ => grains.GetGrain<IClusterSessionsGrain>(0).List(new SessionQuery(), CancellationToken.None).AsTask()));
        Assert.All(lists, static list => Assert.Equal(["mute"], list.Silent));
        mute.EndSilence();
    }
}
