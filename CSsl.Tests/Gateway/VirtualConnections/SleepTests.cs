using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Link;
using CSsl.Tests.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using Xunit;
using static CSsl.Tests.Gateway.VirtualConnections.Sessions;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>Connections that no silo has: how they fall asleep, wake up, move and end.</summary>
public sealed class SleepTests : IAsyncLifetime
{
    private static readonly byte[] Request = Walk.Record(23, 300, 1);
    private static readonly byte[] More = Walk.Record(23, 400, 2);

    private GatewayHarness _gateway = null!;
    private ScriptedSilo _first = null!;

    public async ValueTask InitializeAsync() => (_gateway, _first) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Fact]
    public async Task Sleeping_connection_wakes_up_at_the_clients_next_record()
    {
        var (client, _) = await FallAsleepAsync();
        Assert.Equal((1, 1L, 0L), (_gateway.Meters.Sessions.Read().Asleep, _gateway.Meters.Sessions.Read().Hibernated, _gateway.Meters.Sessions.Read().Woken));

        // A part of a record is no reason yet.
        await client.Connection.SendAsync(Request[..100]);
        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);
        await client.Connection.SendAsync(Request[100..]);

        var (channel, attach) = await _first.NextSessionAsync();
        Assert.Equal((AttachCause.Wake, ClientStart, ServerStart, 0), (attach.Cause, attach.ClientSequence, attach.ServerSequence, attach.Takeovers));
        Assert.Equal([5, 5], attach.Capsule.ToArray());
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        Assert.Equal((0, 1L), (_gateway.Meters.Sessions.Read().Asleep, _gateway.Meters.Sessions.Read().Woken));
    }

    [Fact]
    public async Task Records_sent_while_the_silo_lets_go_come_to_the_next_once_and_in_order()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        await client.Connection.SendAsync([.. Request, .. More]);
        await data.NextRecordsAsync(Request.Length + More.Length);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await _first.SayGoodbyeAsync(_gateway.Connect());
        data.Detach(ClientStart + 1, ServerStart, DetachReason.Drain);

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Move, ClientStart + 1, 0), (attach.Cause, attach.ClientSequence, attach.Takeovers));
        await client.Connection.SendAsync(Request);
        Assert.Equal((byte[])[.. More, .. Request], await channel.NextRecordsAsync(More.Length + Request.Length));
        Assert.False(channel.TryNext(out _));
        Assert.Equal((0, 1L), (_gateway.Meters.Sessions.Read().Asleep, _gateway.Meters.Sessions.Read().Moved));
    }

    [Fact]
    public async Task Sleeping_client_that_sends_fin_is_closed_without_waking_anybody()
    {
        var (client, _) = await FallAsleepAsync();
        client.Connection.SendFin();
        Assert.Empty(await client.Connection.ReadToEndAsync());
        await EndedAsleepAsync(client);
        Assert.False(client.Connection.IsReset);
    }

    [Fact]
    public async Task Sleeping_client_that_is_reset_is_forgotten()
    {
        var (client, _) = await FallAsleepAsync();
        client.Connection.SendReset();
        await EndedAsleepAsync(client);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, 23, 19)]
    [InlineData(TlsVersion.Tls12, 21, 26)]
    public async Task Alert_and_fin_close_a_sleeping_connection_without_waking_anybody(TlsVersion version, byte type, int length)
    {
        var (client, _) = await FallAsleepAsync(version);
        await client.Connection.SendAsync(Walk.Record(type, length));
        client.Connection.SendFin();
        Assert.Empty(await client.Connection.ReadToEndAsync());
        await EndedAsleepAsync(client);
        Assert.False(client.Connection.IsReset);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, 23, 19)]
    [InlineData(TlsVersion.Tls12, 21, 26)]
    public async Task What_may_be_an_alert_wakes_when_no_fin_follows(TlsVersion version, byte type, int length)
    {
        var (client, _) = await FallAsleepAsync(version);
        await client.Connection.SendAsync(Walk.Record(type, length));
        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.2));

        var (channel, _) = await _first.NextSessionAsync();
        Assert.Equal(Walk.Record(type, length), await channel.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task What_may_be_an_alert_goes_to_a_silo_that_is_there_for_another_reason()
    {
        var (client, _) = await FallAsleepAsync();
        await client.Connection.SendAsync(Walk.Record(23, 19));
        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);
        _gateway.Table.Find(1)!.Finish();

        var (channel, _) = await _first.NextSessionAsync();
        var frames = new[] { await channel.NextAsync(), await channel.NextAsync() };
        Assert.Equal(FrameKind.Finish, Assert.Single(frames, static frame => frame.Kind != FrameKind.Records).Kind);
        Assert.Equal(Walk.Record(23, 19), frames.Single(static frame => frame.Kind == FrameKind.Records).Payload);
    }

    [Fact]
    public async Task Data_behind_what_may_be_an_alert_wakes_at_once()
    {
        var (client, _) = await FallAsleepAsync();
        await client.Connection.SendAsync(Walk.Record(23, 19));
        await client.Connection.SendAsync(Request);
        client.Connection.SendFin();

        var (channel, _) = await _first.NextSessionAsync();
        Assert.Equal((byte[])[.. Walk.Record(23, 19), .. Request], await channel.NextRecordsAsync(24 + Request.Length));
        await channel.NextAsync(FrameKind.Eof);
    }

    [Fact]
    public async Task Connection_at_rest_sleeps_when_its_silo_is_lost_and_the_next_is_told_of_the_loss()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        data.Rekey(ServerStart + 1, 6);
        data.SendToClient(Walk.Record(23, 30));
        data.Rekey(ServerStart + 2, 7);
        await client.Connection.ReadAsync(35);
        await _first.DisposeAsync();
        await _gateway.Log.LineAsync("Connection 1 sleeps");
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await client.Connection.SendAsync(Request);

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Takeover, 1, 0, 0UL), (attach.Cause, attach.Takeovers, attach.ReplayRecords, attach.DeliveredBytes));
        Assert.Equal((ClientStart, ServerStart + 1), (attach.ClientSequence, attach.ServerSequence));
        Assert.Equal([6], attach.Capsule.ToArray());
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        Assert.Equal((1L, 0L), (_gateway.Meters.Sessions.Read().Woken, _gateway.Meters.Sessions.Read().Lost));

        // Until the client has got a record from it, the key is the lost silo's: whoever comes next must change it too.
        channel.Detach(ClientStart + 1, ServerStart + 1);
        await _gateway.Log.LineAsync("Connection 1 sleeps", times: 2);
        await client.Connection.SendAsync(More);
        (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Takeover, 1, 0), (attach.Cause, attach.Takeovers, attach.ReplayRecords));

        await channel.NextRecordsAsync(More.Length);
        channel.SendToClient(Walk.Record(23, 30));
        channel.Detach(ClientStart + 2, ServerStart + 2);
        await client.Connection.ReadAsync(35);
        await _gateway.Log.LineAsync("Connection 1 sleeps", times: 3);
        await client.Connection.SendAsync(More);
        (_, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Wake, 1), (attach.Cause, attach.Takeovers));
    }

    [Fact]
    public async Task Slow_client_gets_everything_though_its_connection_sleeps_and_it_has_sent_fin()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        var record = Walk.Record(23, 16_000);
        for (var i = 0; i < 12; i++)
            data.SendToClient(record, 15_000);
        data.Detach(ClientStart + 1, ServerStart + 12);
        await _gateway.Log.LineAsync("Connection 1 left silo: Idle");
        client.Connection.SendFin();

        Assert.Equal(12 * record.Length, (await client.Connection.ReadToEndAsync()).Length);
        await client.EndedAsync();
        Assert.False(client.Connection.IsReset);
    }

    [Fact]
    public async Task Finish_wakes_a_sleeping_connection_for_its_close_notify()
    {
        var (client, _) = await FallAsleepAsync();
        _gateway.Table.Find(1)!.Finish();
        var (channel, attach) = await _first.NextSessionAsync();
        Assert.Equal(AttachCause.Wake, attach.Cause);
        await channel.NextAsync(FrameKind.Finish);
        var closeNotify = Walk.Record(23, 19);
        channel.SendToClient(closeNotify);
        channel.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
        Assert.Equal(closeNotify, await client.Connection.ReadToEndAsync());
        client.Connection.SendFin();
        await client.EndedAsync();
    }

    [Fact]
    public async Task Finish_reaches_the_silo_that_has_the_connection_and_the_next_one_too()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        _gateway.Table.Find(1)!.Finish();
        await data.NextAsync(FrameKind.Finish);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await _first.DisposeAsync();
        var (channel, _) = await second.NextSessionAsync();
        var frames = new[] { (await channel.NextAsync()).Kind, (await channel.NextAsync()).Kind };
        Assert.Equal([FrameKind.Records, FrameKind.Finish], frames.Order());
    }

    [Fact]
    public async Task Sleeping_connection_wakes_up_to_be_sealed_anew_when_the_cluster_has_another_key()
    {
        using var renewal = _gateway.NewRenewal();
        _gateway.SealUnder("a#0");
        var (client, _) = await FallAsleepAsync(capsule: Capsule('a'));
        Assert.Equal(0, renewal.Wake("a#0"));
        await renewal.StartAsync(CancellationToken.None);
        _gateway.SealUnder("b#0");
        var waking = _first.NextSessionAsync();
        await Eventually.TrueAsync(
            () =>
            {
                _gateway.Clock.Advance(CapsuleRenewal.Interval);
                return waking.IsCompleted;
            },
            "the connection is attached");
        var (channel, attach) = await waking;
        Assert.Equal((AttachCause.Wake, 0, 0), (attach.Cause, attach.Takeovers, attach.ReplayRecords));
        Assert.Equal(Capsule('a'), attach.Capsule.ToArray());
        channel.Attached();
        channel.Detach(ClientStart, ServerStart, DetachReason.Idle, Capsule('b'));
        await _gateway.Log.LineAsync("Connection 1 sleeps", times: 2);
        Assert.Equal(0, renewal.Wake("b#0"));
        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);

        await client.Connection.SendAsync(Request);
        (channel, attach) = await _first.NextSessionAsync();
        Assert.Equal(Capsule('b'), attach.Capsule.ToArray());
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        await renewal.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Not_all_sleeping_connections_wake_up_at_once_to_be_sealed_anew()
    {
        using var renewal = _gateway.NewRenewal();
        for (var i = 1; i <= CapsuleRenewal.AtOnce + 3; i++)
            await FallAsleepAsync(capsule: Capsule('a'), id: i);
        Assert.Equal(CapsuleRenewal.AtOnce, renewal.Wake("b#0"));
        for (var i = 0; i < CapsuleRenewal.AtOnce; i++)
            await _first.NextSessionAsync();
        Assert.Equal(3, renewal.Wake("b#0"));
    }

    /// <summary>What a gateway can read of a capsule.</summary>
    private static byte[] Capsule(char keyId) => [2, 1, (byte)keyId];

    private async Task<(TestClient Client, TestChannel Data)> FallAsleepAsync(TlsVersion version = TlsVersion.Tls13, byte[]? capsule = null, int id = 1)
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client, version);
        data.Attached();
        data.Detach(ClientStart, ServerStart, DetachReason.Idle, capsule ?? [5, 5]);
        await _gateway.Log.LineAsync($"Connection {id} sleeps");
        return (client, data);
    }

    private async Task EndedAsleepAsync(TestClient client)
    {
        await client.EndedAsync();
        Assert.Equal((0, 0L), (_gateway.Meters.Sessions.Read().Asleep, _gateway.Meters.Sessions.Read().Woken));
        Assert.Equal(0, _gateway.Table.Count);
    }
}
