using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Hosting;

public sealed class HostingTests
{
    [Fact]
    public async Task Silo_offers_its_own_client_and_details()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync("s1");

        var client = silo.Services.GetRequiredService<IClusterClient>();
        var details = silo.Services.GetRequiredService<ILocalSiloDetails>();

        Assert.Same(client, silo.Services.GetRequiredService<IGrainFactory>());
        Assert.Equal("s1", await client.GetGrain<IEchoGrain>("a").Where());
        Assert.Equal(("s1", "test"), (details.Name, details.ClusterId));
        Assert.NotEqual(0, details.SiloAddress.Endpoint.Port);
        Assert.Equal(details.SiloAddress, SiloAddress.FromParsableString(details.SiloAddress.ToParsableString()));
    }

    [Fact]
    public async Task Silo_can_be_set_up_with_an_IHostBuilder()
    {
        await using var cluster = new TestCluster();
        using var host = new HostBuilder()
            .ConfigureServices(services => services.AddSingleton(cluster.Events))
            .UseOrleans(silo => silo.UseEmbeddedCluster(cluster.Options("s1")))
            .Build();
        await host.StartAsync();

        Assert.Equal("s1", await host.Echo("a").Where());
        await host.StopAsync();
    }

    [Fact]
    public void Host_is_either_a_silo_or_a_client()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(static _ => { });
        Assert.Throws<OrleansConfigurationException>(() => builder.UseOrleansClient(static _ => { }));

        builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(static _ => { });
        Assert.Throws<OrleansConfigurationException>(() => builder.UseOrleans(static _ => { }));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("0.0.0.0:0")]
    [InlineData("")]
    public void Listen_address_is_refused_when_others_can_not_use_it(string listen)
    {
        var options = new EmbeddedClusterOptions { ClusterId = "test", Database = "x.db", ClusterKey = new byte[32], Listen = listen };

        var thrown = Assert.Throws<OrleansConfigurationException>(() => Host.CreateEmptyApplicationBuilder(null).UseOrleans(silo => silo.UseEmbeddedCluster(options)));

        Assert.Contains("Listen", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cluster_key_is_refused_when_it_is_short()
    {
        var options = new EmbeddedClusterOptions { ClusterId = "test", Database = "x.db", ClusterKey = new byte[31] };

        Assert.Throws<OrleansConfigurationException>(() => Host.CreateEmptyApplicationBuilder(null).UseOrleans(silo => silo.UseEmbeddedCluster(options)));
    }

    [Fact]
    public async Task Call_before_the_silo_started_says_so()
    {
        await using var cluster = new TestCluster();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo => silo.UseEmbeddedCluster(cluster.Options("s1")));
        using var host = builder.Build();

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(async () => await host.Echo("a").Where());

        Assert.Contains("has not started", thrown.Message, StringComparison.Ordinal);
    }
}
