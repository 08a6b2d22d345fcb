using CSsl.Gateway.Lifecycle;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Gateway.VirtualConnections;
using CSsl.Tests.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using Xunit;
using static CSsl.Tests.Gateway.VirtualConnections.Sessions;

namespace CSsl.Tests.Gateway.Lifecycle;

/// <summary>How a gateway that leaves parts from its clients.</summary>
public sealed class ConnectionDrainTests : IAsyncLifetime
{
    private GatewayHarness _gateway = null!;
    private ScriptedSilo _silo = null!;

    public async ValueTask InitializeAsync() => (_gateway, _silo) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Fact]
    public async Task Everybody_is_asked_to_finish_also_who_comes_later()
    {
        using var drain = new ConnectionDrain(_gateway.Table, _gateway.Admission);
        var busy = await _silo.EstablishAsync(_gateway.Connect());
        await FallAsleepAsync(2);
        await drain.DrainAsync(CancellationToken.None);

        await busy.NextAsync(FrameKind.Finish);
        var (woken, attach) = await _silo.NextSessionAsync();
        Assert.Equal(AttachCause.Wake, attach.Cause);
        await woken.NextAsync(FrameKind.Finish);

        var late = await _silo.EstablishAsync(_gateway.Connect());
        await late.NextAsync(FrameKind.Finish);
    }

    [Fact]
    public async Task Sleeping_connections_are_woken_so_many_at_once_and_no_more()
    {
        using var drain = new ConnectionDrain(_gateway.Table, _gateway.Admission);
        for (ulong id = 1; id <= ConnectionDrain.MaxWaking + 2; id++)
            await FallAsleepAsync(id);
        var draining = drain.DrainAsync(CancellationToken.None);

        var waking = new List<TestChannel>();
        for (var i = 0; i < ConnectionDrain.MaxWaking; i++)
            waking.Add((await _silo.NextSessionAsync()).Channel);
        Assert.False(draining.IsCompleted);
        Assert.Equal(2, _gateway.Meters.Sessions.Read().Asleep);

        foreach (var channel in waking.Take(2))
        {
            channel.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
            await _silo.NextSessionAsync();
        }

        await draining.WaitAsync(TestLinks.Patience);
        Assert.Equal(0, _gateway.Meters.Sessions.Read().Asleep);
    }

    [Fact]
    public async Task Who_waits_for_a_handshake_is_refused_at_once()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { ConcurrentHandshakes = 1 });
        var silo = await gateway.AddSiloAsync("silo");
        using var drain = new ConnectionDrain(gateway.Table, gateway.Admission);
        await gateway.Connect().Connection.SendAsync(Walk.Hello);
        var busy = await silo.TakeHelloAsync();
        var waiting = gateway.Connect();
        await waiting.Connection.SendAsync(Walk.Hello);
        await Eventually.TrueAsync(() => gateway.Admission.Waiting == 1, "the second waits");

        await drain.DrainAsync(CancellationToken.None);

        Assert.Equal((byte)AlertDescription.InternalError, (await waiting.Connection.ReadToEndAsync())[^1]);
        Assert.Contains(gateway.RefusalLines.Lines, static line => line.Message.Contains("Stopping", StringComparison.Ordinal));
        Assert.False(waiting.Connection.IsReset);
        await busy.NextAsync(FrameKind.Handshake);
        Assert.Equal(1, gateway.Admission.UnderWay);
    }

    private async Task FallAsleepAsync(ulong id)
    {
        var data = await _silo.EstablishAsync(_gateway.Connect());
        data.Detach(ClientStart, ServerStart);
        await _gateway.Log.LineAsync($"Connection {id} sleeps");
    }
}
