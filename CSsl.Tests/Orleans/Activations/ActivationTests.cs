using Xunit;

namespace CSsl.Tests.Orleans.Activations;

public sealed class ActivationTests
{
    [Fact]
    public async Task Grain_runs_one_call_at_a_time_when_many_are_made_at_once()
    {
        await using var cluster = new TestCluster();
        var grain = (await cluster.StartSiloAsync()).Echo("a");

        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => Task.Run(() => grain.Add(1))));

        Assert.Equal(500, await grain.Add(0));
        Assert.DoesNotContain("overlap", cluster.Events.All);
    }

    [Fact]
    public async Task Grain_is_activated_once_per_key_when_first_called()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => silo.Echo("a").Add(1))));
        await silo.Echo("b").Add(1);

        Assert.Equal(["activated a s1", "activated b s1"], cluster.Events.All);
    }

    [Fact]
    public async Task Grain_begins_anew_when_it_asked_to_be_deactivated()
    {
        await using var cluster = new TestCluster();
        var grain = (await cluster.StartSiloAsync()).Echo("a");
        await grain.Add(5);

        await grain.DeactivateSoon();

        Assert.Equal(1, await grain.Add(1));
        Assert.Equal(["activated a s1", "deactivated a s1 ApplicationRequested", "activated a s1"], cluster.Events.All);
    }

    [Fact]
    public async Task Grains_are_deactivated_when_their_silo_stops()
    {
        await using var cluster = new TestCluster();
        var silo = await cluster.StartSiloAsync();
        await silo.Echo("a").Add(1);

        await silo.StopAsync();

        Assert.Equal("deactivated a s1 ShuttingDown", cluster.Events.All[^1]);
    }
}
