using System.Diagnostics.CodeAnalysis;
using CSsl.Gateway.Admission;
using CSsl.Gateway.VirtualConnections;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Gateway.VirtualConnections;
using CSsl.Tests.Link;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Xunit;
using static CSsl.Tests.Gateway.VirtualConnections.Sessions;

namespace CSsl.Tests.Gateway.Admission;

/// <summary>A gateway with four places, of which one is to be free.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime.DisposeAsync disposes.")]
public sealed class ClientRoomTests : IAsyncLifetime
{
    private const int Capacity = 4;

    private readonly RecordingLogger<ClientRoom> _lines = new();
    private GatewayHarness _gateway = null!;
    private ScriptedSilo _silo = null!;
    private ClientRoom _room = null!;

    public async ValueTask InitializeAsync()
    {
        (_gateway, _silo) = await GatewayHarness.WithSiloAsync(new LimitsOptions { Connections = Capacity });
        _room = new ClientRoom(_gateway.Table, new DescriptorBudget(100, 10, Capacity, 0, 0), Options.Create(new GatewayOptions()), _gateway.Meters, _gateway.Clock, _lines);
    }

    public async ValueTask DisposeAsync()
    {
        _room.Dispose();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task No_more_are_accepted_than_there_is_room_for_and_the_next_when_one_has_left()
    {
        TestClient[] clients = [.. Enumerable.Range(0, Capacity - 1).Select(_ => _gateway.Connect())];
        await _room.WhenRoomAsync(default);
        var last = _gateway.Connect();
        var waiting = _room.WhenRoomAsync(default).AsTask();
        Assert.False(waiting.IsCompleted);
        await _lines.LineAsync($"All {Capacity} places for clients are taken");

        last.Connection.SendFin();
        await last.EndedAsync();
        await waiting.WaitAsync(TestLinks.Patience);
        Assert.All(clients, client => Assert.False(client.Ended.IsCompleted));
    }

    [Fact]
    public async Task Waiting_for_room_ends_with_the_listener()
    {
        for (var i = 0; i < Capacity; i++)
            _gateway.Connect();
        using var unbound = new CancellationTokenSource();
        var waiting = _room.WhenRoomAsync(unbound.Token).AsTask();
        await unbound.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Silent_clients_are_reset_for_others_and_a_sleeping_one_stays()
    {
        var (sleeper, _) = await SleepAsync();
        TestClient[] silent = [.. Enumerable.Range(1, Capacity - 1).Select(_ => _gateway.Connect())];
        _room.MakeRoom();
        Assert.All(silent, client => Assert.False(client.Ended.IsCompleted));

        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.3));
        _room.MakeRoom();
        foreach (var client in silent)
        {
            Assert.Equal("TooManyConnections", await client.Connection.Reset);
            await client.EndedAsync();
        }

        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);
        Assert.False(sleeper.Ended.IsCompleted);
        Assert.Equal(1, _gateway.Table.Count);
    }

    [Fact]
    public async Task Sleeping_client_is_told_goodbye_for_others_and_a_busy_one_stays()
    {
        var (sleeper, _) = await SleepAsync();
        var busy = new List<TestChannel>();
        for (var i = 1; i < Capacity; i++)
        {
            var client = _gateway.Connect();
            var data = await _silo.EstablishAsync(client);
            await client.Connection.SendAsync(Walk.Record(23, 300, 1));
            await data.NextRecordsAsync(305);
            busy.Add(data);
        }

        _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        _room.MakeRoom();

        var (channel, attach) = await _silo.NextSessionAsync();
        Assert.Equal(AttachCause.Wake, attach.Cause);
        await channel.NextAsync(FrameKind.Finish);
        _room.MakeRoom();
        channel.SendToClient(Walk.Record(23, 19));
        channel.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
        Assert.Equal(Walk.Record(23, 19), await sleeper.Connection.ReadToEndAsync());
        sleeper.Connection.SendFin();
        await sleeper.EndedAsync();
        Assert.All(busy, data => Assert.False(data.TryNext(out _)));
    }

    [Fact]
    public async Task Idle_client_of_a_silo_is_told_goodbye_where_nobody_sleeps()
    {
        List<TestChannel> idle = [];
        for (var i = 0; i < Capacity; i++)
        {
            idle.Add(await _silo.EstablishAsync(_gateway.Connect()));
            _gateway.Clock.Advance(TimeSpan.FromSeconds(0.1));
        }

        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        _room.MakeRoom();

        await idle[0].NextAsync(FrameKind.Finish);
        Assert.All(idle[1..], data => Assert.False(data.TryNext(out _)));
    }

    [Fact]
    public async Task Room_is_made_as_soon_as_an_accepted_client_crowds_it()
    {
        await _room.StartAsync(default);
        TestClient[] silent = [.. Enumerable.Range(1, Capacity - 1).Select(_ => _gateway.Connect())];
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.3));

        _room.OnAccepted(new DefaultConnectionContext());

        Assert.Equal("TooManyConnections", await silent[0].Connection.Reset);
        await _room.StopAsync(default);
    }

    private async Task<(TestClient Client, TestChannel Data)> SleepAsync()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        data.Attached();
        data.Detach(ClientStart, ServerStart, DetachReason.Idle, 5, 5);
        await _gateway.Log.LineAsync("Connection 1 sleeps");
        return (client, data);
    }
}
