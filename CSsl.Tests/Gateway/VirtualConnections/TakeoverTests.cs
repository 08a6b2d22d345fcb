using CSsl.Gateway.Connections;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Link;
using Xunit;
using static CSsl.Tests.Gateway.VirtualConnections.Sessions;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>A silo is lost: what the next one is told, what it gets, and when the gateway gives up.</summary>
public sealed class TakeoverTests : IAsyncLifetime
{
    /// <summary>Two bytes of a request, as long as an alert of TLS 1.3.</summary>
    private static readonly byte[] AlertLike = Walk.Record(23, 19, 4);

    private static readonly byte[] Request = Walk.Record(23, 300, 1);
    private static readonly byte[] More = Walk.Record(23, 400, 2);
    private static readonly byte[] Answer = Walk.Record(23, 1000, 3);

    private GatewayHarness _gateway = null!;
    private ScriptedSilo _first = null!;

    public async ValueTask InitializeAsync() => (_gateway, _first) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    /// <summary>A client whose request the first silo has, and has not answered.</summary>
    private async Task<(TestClient Client, TestChannel Data)> AskAsync()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        return (client, data);
    }

    [Fact]
    public async Task Request_without_an_answer_is_replayed_to_another_silo()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await client.Connection.SendAsync([.. Request, .. More]);
        await data.NextRecordsAsync(Request.Length + More.Length);
        await _first.DisposeAsync();

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal(AttachCause.Takeover, attach.Cause);
        Assert.Equal(Walk.SessionId, attach.SessionId);
        Assert.Equal(Walk.Capsule, attach.Capsule.ToArray());
        Assert.Equal((ClientStart, ServerStart), (attach.ClientSequence, attach.ServerSequence));
        Assert.Equal((1, 2, true, 0UL), (attach.Takeovers, attach.ReplayRecords, attach.IsReplayable, attach.DeliveredBytes));
        Assert.True(attach.Response.IsEmpty);
        Assert.Equal((byte[])[.. Request, .. More], await channel.NextRecordsAsync(Request.Length + More.Length));

        channel.Attached();
        channel.SendToClient(Answer, 900);
        Assert.Equal(Answer, await client.Connection.ReadAsync(Answer.Length));
        Assert.Equal((1L, 0L), (_gateway.Meters.Sessions.Read().TakenOver, _gateway.Meters.Sessions.Read().Lost));
    }

    [Fact]
    public async Task Next_silo_is_told_what_the_client_has_of_the_response()
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.SendFrame(FrameKind.ResponseNote, 1, 1, 1);
        data.SendFrame(FrameKind.ResponseNote, 8, 7, 6);
        data.SendToClient(Answer, 900);
        data.SendToClient([.. Answer, .. Answer], 1800);
        await client.Connection.ReadAsync(3 * Answer.Length);
        await _first.DisposeAsync();

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((ClientStart, ServerStart + 3), (attach.ClientSequence, attach.ServerSequence));
        Assert.Equal((1, 1, true, 2700UL), (attach.Takeovers, attach.ReplayRecords, attach.IsReplayable, attach.DeliveredBytes));
        Assert.Equal([8, 7, 6], attach.Response.ToArray());
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task Checkpoint_makes_the_gateway_forget_what_is_done_with()
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.SendFrame(FrameKind.ResponseNote, 8, 7, 6);
        data.SendToClient(Answer, 900);
        data.Checkpoint(ClientStart + 1, ServerStart + 1, 4, 4);
        await _gateway.HeardAsync(_first);
        Assert.Equal(0, _gateway.Session().Upstream.Read(static received => received.Capacity));

        await client.Connection.SendAsync(More);
        await data.NextRecordsAsync(More.Length);
        await _first.DisposeAsync();

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((ClientStart + 1, ServerStart + 1), (attach.ClientSequence, attach.ServerSequence));
        Assert.Equal((1, true, 0UL), (attach.ReplayRecords, attach.IsReplayable, attach.DeliveredBytes));
        Assert.True(attach.Response.IsEmpty);
        Assert.Equal([4, 4], attach.Capsule.ToArray());
        Assert.Equal(More, await channel.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task Second_loss_in_a_row_counts_on_and_replays_everything_again()
    {
        var (client, _) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await _first.DisposeAsync();

        var (channel, _) = await second.NextSessionAsync();
        await channel.NextRecordsAsync(Request.Length);
        channel.Attached();
        await client.Connection.SendAsync(More);
        await channel.NextRecordsAsync(More.Length);
        var third = await _gateway.AddSiloAsync("third", SiloRoles.Data);
        await second.DisposeAsync();

        var (last, attach) = await third.NextSessionAsync();
        Assert.Equal((2, 2, ClientStart, ServerStart), (attach.Takeovers, attach.ReplayRecords, attach.ClientSequence, attach.ServerSequence));
        Assert.Equal((byte[])[.. Request, .. More], await last.NextRecordsAsync(Request.Length + More.Length));
    }

    [Fact]
    public async Task Records_that_no_silo_had_are_new_ones()
    {
        var (client, _) = await AskAsync();
        await _first.DisposeAsync();
        await _gateway.Log.LineAsync("waits for a silo");
        await client.Connection.SendAsync(More);
        client.Connection.SendFin();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal(1, attach.ReplayRecords);
        Assert.Equal((byte[])[.. Request, .. More], await channel.NextRecordsAsync(Request.Length + More.Length));
        await channel.NextAsync(FrameKind.Eof);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_may_be_an_alert_is_no_last_word_while_something_is_under_way(bool isFinFollowing)
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        await _first.DisposeAsync();
        await _gateway.Log.LineAsync("waits for a silo");
        await client.Connection.SendAsync(AlertLike);
        if (isFinFollowing)
            client.Connection.SendFin();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);

        var (channel, _) = await second.NextSessionAsync();
        Assert.Equal((byte[])[.. Request, .. AlertLike], await channel.NextRecordsAsync(Request.Length + AlertLike.Length));
        if (isFinFollowing)
            await channel.NextAsync(FrameKind.Eof);
    }

    [Fact]
    public async Task Eof_that_was_sent_is_sent_again_behind_the_records()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await client.Connection.SendAsync(Request);
        client.Connection.SendFin();
        await data.NextRecordsAsync(Request.Length);
        await data.NextAsync(FrameKind.Eof);
        await _first.DisposeAsync();

        var (channel, _) = await second.NextSessionAsync();
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        await channel.NextAsync(FrameKind.Eof);
    }

    [Fact]
    public async Task Request_beyond_the_replay_buffer_is_taken_over_without_its_records()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        var record = Walk.Record(23, 16_000);
        var count = (_gateway.Limits.ReplayBuffer / record.Length) + 1;
        for (var i = 0; i < count; i++)
        {
            // Of the last one the gateway must know that the silo has taken those before it: what it has not taken is kept.
            if (i == count - 1)
                await _gateway.HeardAsync(_first);
            await client.Connection.SendAsync(record);
            await data.NextRecordsAsync(record.Length);
        }

        await _first.DisposeAsync();
        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Takeover, false, 0), (attach.Cause, attach.IsReplayable, attach.ReplayRecords));
        Assert.Equal(ClientStart + (ulong)count, attach.ClientSequence);
        await client.Connection.SendAsync(More);
        Assert.Equal(More, await channel.NextAsync(FrameKind.Records));
    }

    /// <summary>Keys that the lost silo announced and the client has nothing of; whether it got the first record under the first of them; how often the next one must change the key.</summary>
    [Theory]
    [InlineData(0, false, 2)]
    [InlineData(1, false, 2)]
    [InlineData(3, false, 4)]
    [InlineData(1, true, 1)]
    [InlineData(2, true, 2)]
    public async Task Next_silo_goes_past_every_key_that_a_lost_one_can_have_used(int announced, bool isFirstDelivered, int updates)
    {
        await AskAsync();
        var second = await _gateway.AddSiloAsync("second");
        await _first.DisposeAsync();
        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((2u, (byte)1), (attach.Generation, attach.KeyUpdates));

        channel.Attached();
        for (var i = 0; i < announced; i++)
            channel.Rekey(ServerStart + 1 + (ulong)i, 7);
        if (isFirstDelivered)
            channel.SendToClient(AlertLike, 0);
        await _gateway.HeardAsync(second);
        var third = await _gateway.AddSiloAsync("third", SiloRoles.Data);
        await second.DisposeAsync();

        (_, attach) = await third.NextSessionAsync();
        Assert.Equal((3u, (byte)updates, ServerStart + (isFirstDelivered ? 1UL : 0)), (attach.Generation, attach.KeyUpdates, attach.ServerSequence));
    }

    [Fact]
    public async Task Session_that_left_in_order_keeps_its_key()
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.Attached();
        data.SendToClient(Answer, 900);
        data.Detach(ClientStart + 1, ServerStart + 1, DetachReason.Drain);
        await client.Connection.ReadAsync(Answer.Length);
        await client.Connection.SendAsync(Request);

        var (_, attach) = await second.NextSessionAsync();
        Assert.Equal((2u, (byte)0), (attach.Generation, attach.KeyUpdates));
    }

    [Fact]
    public async Task Http2_connection_retains_nothing()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client, protocol: "h2");
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        Assert.Equal(0, _gateway.Session().Upstream.Read(static received => received.Capacity));
        await _first.DisposeAsync();

        var (_, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.Takeover, false, ClientStart + 1), (attach.Cause, attach.IsReplayable, attach.ClientSequence));
    }

    [Theory]
    [InlineData(0, new byte[] { 9, 9, 9 })]
    [InlineData(1, new byte[] { 9, 9, 9 })]
    [InlineData(2, new byte[] { 6 })]
    [InlineData(3, new byte[] { 6 })]
    public async Task Announced_key_counts_once_its_first_record_is_next(int delivered, byte[] capsule)
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.Rekey(ServerStart + 2, 6);
        for (var i = 0; i < delivered; i++)
            data.SendToClient(Answer);
        await _gateway.HeardAsync(_first);
        await _first.DisposeAsync();

        var (_, attach) = await second.NextSessionAsync();
        Assert.Equal(capsule, attach.Capsule.ToArray());
        Assert.Equal(ServerStart + (ulong)delivered, attach.ServerSequence);
    }

    [Fact]
    public async Task Silo_that_breaks_the_rules_loses_the_session_to_another()
    {
        foreach (var fault in (Action<TestChannel>[])
        [
            static silo => silo.SendToClient(Walk.Record(23, 1000)[..500]),
            static silo => silo.Checkpoint(ClientStart, ServerStart + 1),
            static silo => silo.Checkpoint(ClientStart + 2, ServerStart),
            static silo => silo.Checkpoint(ClientStart - 1, ServerStart),
            static silo => silo.Detach(ClientStart + 2, ServerStart),
            static silo => silo.Rekey(ServerStart, 6),
            static silo =>
            {
                for (var i = 1UL; i <= 5; i++)
                    silo.Rekey(ServerStart + i, 6);
            },
            static silo =>
            {
                silo.Rekey(ServerStart + 1, 6);
                silo.Checkpoint(ClientStart, ServerStart, 7);
            },
            static silo =>
            {
                silo.Attached();
                silo.SendFrame(FrameKind.Close, (byte)CloseReason.Refused);
            },
        ])
        {
            await using var gateway = new GatewayHarness();
            var first = await gateway.AddSiloAsync("first");
            var client = gateway.Connect();
            var data = await first.EstablishAsync(client);
            var second = await gateway.AddSiloAsync("second", SiloRoles.Data);
            await client.Connection.SendAsync(Request);
            await data.NextRecordsAsync(Request.Length);
            fault(data);
            Assert.Equal(CloseReason.Aborted, await data.NextCloseAsync());

            var (channel, attach) = await second.NextSessionAsync();
            Assert.Equal((AttachCause.Takeover, 1, ServerStart), (attach.Cause, attach.ReplayRecords, attach.ServerSequence));
            Assert.Equal(Walk.Capsule, attach.Capsule.ToArray());
            Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        }
    }

    [Theory]
    [InlineData(CloseReason.Refused)]
    [InlineData(CloseReason.BadCapsule)]
    [InlineData(CloseReason.TooOld)]
    public async Task Silo_that_does_not_take_the_session_is_not_the_last_one_asked(CloseReason reason)
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.SendFrame(FrameKind.Close, (byte)reason);

        var (channel, attach) = await second.NextSessionAsync();
        Assert.Equal((AttachCause.First, 0, ClientStart), (attach.Cause, attach.Takeovers, attach.ClientSequence));
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
    }

    [Theory]
    [InlineData(CloseReason.BadCapsule)]
    [InlineData(CloseReason.TooOld)]
    public async Task Session_that_no_silo_can_open_is_reset_at_once(CloseReason reason)
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.SendFrame(FrameKind.Close, (byte)reason);
        var (channel, _) = await second.NextSessionAsync();
        channel.SendFrame(FrameKind.Close, (byte)reason);

        // No clock has moved.
        await client.Connection.Reset;
        await client.EndedAsync();
    }

    [Fact]
    public async Task Not_more_silos_than_the_limit_are_asked_to_open_a_session()
    {
        var (client, data) = await AskAsync();
        var asking = new List<Task<TestChannel>>();
        for (var i = 0; i < VirtualConnection.MaxNotOpened; i++)
            asking.Add(ChannelAsync(await _gateway.AddSiloAsync($"silo-{i}", SiloRoles.Data)));
        data.SendFrame(FrameKind.Close, (byte)CloseReason.BadCapsule);
        for (var i = 1; i < VirtualConnection.MaxNotOpened; i++)
        {
            var asked = await Task.WhenAny(asking);
            asking.Remove(asked);
            (await asked).SendFrame(FrameKind.Close, (byte)CloseReason.BadCapsule);
        }

        await client.Connection.Reset;
        await client.EndedAsync();

        static async Task<TestChannel> ChannelAsync(ScriptedSilo silo) => (await silo.NextSessionAsync()).Channel;
    }

    [Fact]
    public async Task Session_that_one_can_not_open_and_another_does_not_take_yet_waits_for_that_one()
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        data.SendFrame(FrameKind.Close, (byte)CloseReason.BadCapsule);
        var (channel, _) = await second.NextSessionAsync();

        // The one that can't open it is not asked again whenever something changes, nor counted again.
        for (var i = 1; i <= VirtualConnection.MaxNotOpened + 1; i++)
        {
            channel.SendFrame(FrameKind.Close, (byte)CloseReason.Refused);
            await _gateway.Log.LineAsync("waits for a silo", times: i);
            _gateway.SealUnder($"{i}#0");
            (channel, _) = await second.NextSessionAsync();
        }

        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task Without_another_silo_the_client_waits_and_is_reset_when_the_time_is_over()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        data.Attached();
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        await _gateway.HeardAsync(_first);
        await _first.DisposeAsync();

        await _gateway.Log.LineAsync("waits for a silo");
        _gateway.Clock.Advance(_gateway.Limits.TakeoverTime - TimeSpan.FromSeconds(0.1));
        Assert.False(client.Connection.IsReset);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.3));
        await client.Connection.Reset;
        await client.EndedAsync();
        Assert.Equal(1, _gateway.Meters.Sessions.Read().Lost);
        Assert.DoesNotContain(_gateway.RefusalLines.Lines, static line => line.Message.Contains("NoDataSilo", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(AttachCause.First)]
    [InlineData(AttachCause.Wake)]
    [InlineData(AttachCause.Move)]
    public async Task Silo_that_does_not_say_that_it_serves_is_not_waited_for_longer(AttachCause cause)
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        if (cause != AttachCause.First)
        {
            data.Attached();
            if (cause == AttachCause.Move)
            {
                await client.Connection.SendAsync(Request);
                await data.NextRecordsAsync(Request.Length);
            }

            data.Detach(ClientStart, ServerStart, DetachReason.Drain);
            if (cause == AttachCause.Wake)
                await _gateway.Log.LineAsync("Connection 1 sleeps");
            await client.Connection.SendAsync(More);
            var (_, attach) = await _first.NextSessionAsync();
            Assert.Equal(cause, attach.Cause);
        }

        _gateway.Clock.Advance(_gateway.Limits.TakeoverTime - TimeSpan.FromSeconds(0.1));
        Assert.False(client.Connection.IsReset);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.3));
        await client.Connection.Reset;
        await client.EndedAsync();
    }

    [Fact]
    public async Task Silo_that_takes_the_session_and_serves_in_time_ends_the_wait()
    {
        var (client, _) = await AskAsync();
        await _first.DisposeAsync();
        await _gateway.Log.LineAsync("waits for a silo");
        var second = await _gateway.AddSiloAsync("second");
        var (channel, _) = await second.NextSessionAsync();
        channel.Attached();
        await _gateway.HeardAsync(second);

        _gateway.Clock.Advance(2 * _gateway.Limits.TakeoverTime);
        channel.SendToClient(Answer, 900);
        Assert.Equal(Answer, await client.Connection.ReadAsync(Answer.Length));
    }

    [Fact]
    public async Task Request_that_silos_die_of_does_not_get_all_of_them()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { Takeovers = 2 });
        var silo = await gateway.AddSiloAsync("silo-0");
        var client = gateway.Connect();
        var data = await silo.EstablishAsync(client);
        for (var i = 1; i <= 3; i++)
        {
            if (i == 1)
                await client.Connection.SendAsync(Request);
            await data.NextRecordsAsync(Request.Length);
            var next = await gateway.AddSiloAsync($"silo-{i}");
            await silo.DisposeAsync();
            if (i < 3)
                (data, _) = await next.NextSessionAsync();
            silo = next;
        }

        await client.Connection.Reset;
        await client.EndedAsync();
        Assert.Equal(1, gateway.Meters.Sessions.Read().Lost);
    }

    [Fact]
    public async Task Step_forward_between_two_losses_makes_the_count_begin_again()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { Takeovers = 1 });
        var silo = await gateway.AddSiloAsync("silo-0");
        var client = gateway.Connect();
        var data = await silo.EstablishAsync(client);
        await client.Connection.SendAsync(Request);
        for (var i = 1; i <= 4; i++)
        {
            await data.NextRecordsAsync(Request.Length);
            data.SendToClient(Answer, 900);
            await client.Connection.ReadAsync(Answer.Length);
            var next = await gateway.AddSiloAsync($"silo-{i}");
            await silo.DisposeAsync();
            (data, var attach) = await next.NextSessionAsync();
            Assert.Equal((i, (ulong)(900 * i)), (attach.Takeovers, attach.DeliveredBytes));
            silo = next;
        }
    }

    [Fact]
    public async Task Late_records_of_a_dropped_silo_never_reach_the_client()
    {
        var (client, data) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);

        // A fault drops the channel, not the link: what the silo sends on, the link brings.
        data.Checkpoint(ClientStart, ServerStart + 1);
        data.SendToClient(Answer, 900);
        var (channel, _) = await second.NextSessionAsync();
        await _gateway.HeardAsync(_first);
        var good = Walk.Record(23, 50, 9);
        channel.SendToClient(good, 10);
        Assert.Equal(good, await client.Connection.ReadAsync(good.Length));
        Assert.Equal(ServerStart + 1, _gateway.Session().Downstream.Read(static sent => sent.Records));
    }

    [Fact]
    public async Task Client_that_takes_nothing_keeps_the_next_silos_credit_to_itself()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await client.Connection.SendAsync(Request);
        var record = Walk.Record(23, 16_000);
        for (var i = 0; i < 12; i++)
            data.SendToClient(record, 15_000);
        await _gateway.HeardAsync(_first);
        await _first.DisposeAsync();

        // The flush that is pending is about the lost silo's records: none of its credit is the next one's.
        var (channel, _) = await second.NextSessionAsync();
        channel.SendToClient(record, 15_000);
        for (var i = 0; i < 13; i++)
            Assert.Equal(record, await client.Connection.ReadAsync(record.Length));
        for (var i = 0; i < 40; i++)
        {
            channel.SendToClient(record, 15_000);
            Assert.Equal(record, await client.Connection.ReadAsync(record.Length));
        }

        Assert.False(channel.IsLost);
    }

    [Fact]
    public async Task Loss_of_a_silo_is_one_line_in_the_log()
    {
        var resting = _gateway.Connect();
        await _first.EstablishAsync(resting);
        var busy = _gateway.Connect();
        var data = await _first.EstablishAsync(busy);
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await busy.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        await _first.DisposeAsync();
        var (channel, _) = await second.NextSessionAsync();
        channel.SendToClient(Answer, 900);

        await _gateway.LinkLines.LineAsync("silo had 2 connections: 1 were taken over, 1 sleep, 0 were lost, 0 wait for an answer");
    }

    [Fact]
    public async Task Abort_by_the_silo_that_took_over_is_a_loss()
    {
        var (client, _) = await AskAsync();
        var second = await _gateway.AddSiloAsync("second", SiloRoles.Data);
        await _first.DisposeAsync();
        var (channel, _) = await second.NextSessionAsync();
        channel.Attached();
        channel.SendFrame(FrameKind.Close, (byte)CloseReason.Aborted);

        await client.Connection.Reset;
        await client.EndedAsync();
        Assert.Equal((0L, 1L), (_gateway.Meters.Sessions.Read().TakenOver, _gateway.Meters.Sessions.Read().Lost));
    }

    [Fact]
    public async Task Shutdown_ends_the_wait_for_a_silo()
    {
        var (client, _) = await AskAsync();
        await _first.DisposeAsync();
        await _gateway.Log.LineAsync("waits for a silo");
        _gateway.Table.ResetAll(RefusalReason.Stopping);
        await client.Connection.Reset;
        await client.EndedAsync();
    }
}
