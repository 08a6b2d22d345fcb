using CSsl.Grains.Cluster;
using CSsl.Tests.Link;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CSsl.Tests.Gateway.Links;

/// <summary>The gateway's links with the silos of the view.</summary>
public sealed class SiloLinksTests : IAsyncLifetime
{
    private GatewayHarness _gateway = null!;

    public ValueTask InitializeAsync()
    {
        _gateway = GatewayHarness.Start();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Fact]
    public async Task Every_silo_of_the_view_has_a_link_whatever_its_role()
    {
        await _gateway.AddSiloAsync("handshake", SiloRoles.Handshake);
        Assert.False(_gateway.Links.CanServe);
        await _gateway.AddSiloAsync("data", SiloRoles.Data);
        Assert.True(_gateway.Links.CanServe);

        Assert.Equal("handshake", _gateway.Links.Pick(SiloRoles.Handshake)!.Name);
        Assert.Equal("data", _gateway.Links.Pick(SiloRoles.Data)!.Name);
    }

    [Fact]
    public async Task Dead_silo_is_not_picked_any_more_though_the_view_still_has_it()
    {
        var silo = await _gateway.AddSiloAsync("silo");
        await silo.DisposeAsync();
        await _gateway.WhenAsync(() => !_gateway.Links.IsUp(silo.Report));

        Assert.Null(_gateway.Links.Pick(SiloRoles.Data));
        Assert.False(_gateway.Links.CanServe);
    }

    [Fact]
    public async Task Link_that_breaks_is_made_again_after_a_pause()
    {
        var silo = await _gateway.AddSiloAsync("silo");
        silo.BreakLink();
        await _gateway.WhenAsync(() => !_gateway.Links.IsUp(silo.Report));
        var up = _gateway.WhenAsync(() => _gateway.Links.IsUp(silo.Report));
        await _gateway.LinkClock.TimerArmedAsync(TimeSpan.FromMilliseconds(100));
        _gateway.LinkClock.Advance(TimeSpan.FromMilliseconds(100));
        await up;
    }

    [Fact]
    public async Task Silo_that_says_goodbye_gets_nothing_new()
    {
        var leaving = await _gateway.AddSiloAsync("leaving");
        var staying = await _gateway.AddSiloAsync("staying", machineCpu: 0.9);
        await leaving.SayGoodbyeAsync(_gateway.Connect());

        for (var i = 0; i < 20; i++)
            Assert.Equal("staying", _gateway.Links.Pick(SiloRoles.Data)!.Name);
        Assert.True(_gateway.Links.IsUp(staying.Report));
    }

    /// <summary>A rolling restart is nothing to warn of.</summary>
    [Fact]
    public async Task Silo_that_stops_after_its_goodbye_is_worth_one_line()
    {
        var silo = await _gateway.AddSiloAsync("silo");
        await silo.SayGoodbyeAsync(_gateway.Connect());
        await silo.DisposeAsync();

        await _gateway.LinkLines.LineAsync("Link with silo ended: the silo has stopped");
        await _gateway.LinkClock.TimerArmedAsync(TimeSpan.FromMilliseconds(100));
        _gateway.LinkClock.Advance(TimeSpan.FromMilliseconds(100));

        // Two attempts may have failed by now, if the first pauses were short: the third one is of 300 ms at most.
        await _gateway.LinkClock.TimerArmedAsync(TimeSpan.FromMilliseconds(300)).WaitAsync(TestLinks.Patience);
        Assert.DoesNotContain(_gateway.LinkLines.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Silo_that_the_view_has_lost_keeps_its_link_but_gets_nothing_new()
    {
        var silo = await _gateway.AddSiloAsync("silo");
        var client = _gateway.Connect();
        var data = await silo.EstablishAsync(client);
        _gateway.Remove(silo);

        Assert.Null(_gateway.Links.Pick(SiloRoles.Data));
        data.SendToClient(Walk.Record(23, 100));
        Assert.Equal(Walk.Record(23, 100), await client.Connection.ReadAsync(105));
        await silo.DisposeAsync();
    }

    [Fact]
    public async Task New_run_of_a_silo_gets_a_link_of_its_own()
    {
        var old = await _gateway.AddSiloAsync("silo");
        _gateway.Remove(old);
        var young = await _gateway.AddSiloAsync("silo");

        Assert.Equal(young.Report.LinkEndpoint, _gateway.Links.Pick(SiloRoles.Data)!.Endpoint);
        await old.DisposeAsync();
    }
}
