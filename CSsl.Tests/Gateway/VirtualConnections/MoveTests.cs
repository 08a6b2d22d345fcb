using CSsl.Gateway.Connections;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Link;
using Microsoft.Extensions.Options;
using Xunit;
using static CSsl.Tests.Gateway.VirtualConnections.Sessions;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>Sessions that an operator lists, ends, and has go on at a silo of a name: the gateway's half.</summary>
public sealed class MoveTests : IAsyncLifetime
{
    private static readonly byte[] Request = Walk.Record(23, 300, 1);
    private static readonly byte[] More = Walk.Record(23, 400, 2);
    private static readonly byte[] Answer = Walk.Record(23, 1000, 3);

    private GatewayHarness _gateway = null!;
    private ScriptedSilo _first = null!;
    private ScriptedSilo _second = null!;

    public async ValueTask InitializeAsync()
    {
        (_gateway, _first) = await GatewayHarness.WithSiloAsync();
        _second = await _gateway.AddSiloAsync("second", SiloRoles.Data, machineCpu: 0.9);
    }

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    private GatewaySessions Listing => new(_gateway.Table, Options.Create(new GatewayOptions { Name = "g1" }));

    [Fact]
    public async Task Sleeping_session_is_attached_where_it_is_ordered_to()
    {
        await FallAsleepAsync();
        Assert.Equal(SessionState.Asleep, Listing.Find(Walk.SessionId)!.State);

        Assert.Equal(SessionMove.UnderWay, Listing.Move(Walk.SessionId, "second"));

        var (_, attach) = await _second.NextSessionAsync();
        Assert.Equal((AttachCause.Wake, Walk.SessionId), (attach.Cause, attach.SessionId));
        Assert.Equal(SessionMove.AlreadyThere, Listing.Move(Walk.SessionId, "second"));
        Assert.Equal("second", Listing.Find(Walk.SessionId)!.Silo);
    }

    [Fact]
    public async Task Order_that_can_not_be_carried_out_any_more_loses_no_session()
    {
        await FallAsleepAsync();
        await _second.DisposeAsync();
        await _gateway.WhenAsync(() => _gateway.Links.Find("second") is null);

        Listing.Move(Walk.SessionId, "second");

        Assert.Equal(AttachCause.Wake, (await _first.NextSessionAsync()).Attach.Cause);
    }

    /// <summary>More often than silos may be lost in a row: nobody is to blame.</summary>
    [Fact]
    public async Task Session_at_rest_is_moved_as_often_as_one_likes()
    {
        await FallAsleepAsync();
        for (var i = 1; i <= 2 * _gateway.Limits.Takeovers; i++)
        {
            var silo = i % 2 == 0 ? _first : _second;
            Listing.Move(Walk.SessionId, silo.Report.Name);
            var (channel, _) = await silo.NextSessionAsync();
            channel.Attached();
            channel.Detach(ClientStart, ServerStart);
            await _gateway.Log.LineAsync("Connection 1 sleeps", times: i + 1);
        }

        Assert.Equal(ConnectionState.Asleep, _gateway.Session().State);
    }

    [Fact]
    public async Task Silo_of_a_session_that_is_awake_is_told_and_lets_it_go_there_at_its_checkpoint()
    {
        var (client, data) = await AskAsync();
        Assert.Equal(SessionMove.AtCheckpoint, Listing.Move(Walk.SessionId, "second"));
        Assert.Equal("second", MoveTarget.Decode(await data.NextAsync(FrameKind.Move)).Silo);

        data.SendToClient(Answer, 900);
        data.SendFrame(FrameKind.Detach, new Detach { ClientRecord = ClientStart + 1, ServerRecord = ServerStart + 1, Reason = DetachReason.Move, Silo = "second" }.Encode());

        var (channel, attach) = await _second.NextSessionAsync();
        Assert.Equal((AttachCause.Move, ClientStart + 1, 0), (attach.Cause, attach.ClientSequence, attach.Takeovers));
        await client.Connection.ReadAsync(Answer.Length);
        await client.Connection.SendAsync(More);
        Assert.Equal(More, await channel.NextAsync(FrameKind.Records));
        Assert.Equal((1L, 0L), (_gateway.Meters.Sessions.Read().Moved, _gateway.Meters.Sessions.Read().TakenOver));
    }

    [Fact]
    public async Task Session_handed_over_in_the_middle_goes_on_where_the_client_is()
    {
        var (client, data) = await AskAsync();
        data.SendFrame(FrameKind.ResponseNote, 8, 7, 6);
        data.SendToClient([.. Answer, .. Answer], 1800);
        data.SendFrame(FrameKind.HandOver, new HandOver { ClientRecord = ClientStart + 1, Silo = "second" }.Encode());
        data.SendToClient(Answer, 900); // against the rules: the fence
        Assert.Equal(CloseReason.HandedOver, await data.NextCloseAsync());

        var (channel, attach) = await _second.NextSessionAsync();
        Assert.Equal((AttachCause.Takeover, 1, 1, 1800UL), (attach.Cause, attach.Takeovers, attach.ReplayRecords, attach.DeliveredBytes));
        Assert.Equal((ClientStart, ServerStart + 2), (attach.ClientSequence, attach.ServerSequence));
        Assert.Equal([8, 7, 6], attach.Response.ToArray());
        Assert.Equal(Request, await channel.NextAsync(FrameKind.Records));
        channel.Attached();
        channel.SendToClient(Walk.Record(23, 30), 10);
        Assert.Equal(2 * Answer.Length + 35, (await client.Connection.ReadAsync(2 * Answer.Length + 35)).Length);
        Assert.Equal((1L, 0L, 0L), (_gateway.Meters.Sessions.Read().Moved, _gateway.Meters.Sessions.Read().TakenOver, _gateway.Meters.Sessions.Read().Lost));
    }

    /// <summary>Nobody has passed it on, so that it may be served whatever it is.</summary>
    [Fact]
    public async Task What_the_client_sent_while_its_session_was_handed_over_is_new_to_the_next_silo()
    {
        var (client, data) = await AskAsync();
        await client.Connection.SendAsync(More);
        await data.NextRecordsAsync(More.Length);
        data.SendToClient(Answer, 900);
        data.SendFrame(FrameKind.HandOver, new HandOver { ClientRecord = ClientStart + 1, Silo = "second" }.Encode());

        var (channel, attach) = await _second.NextSessionAsync();
        Assert.Equal(1, attach.ReplayRecords);
        Assert.Equal((byte[])[.. Request, .. More], await channel.NextRecordsAsync(Request.Length + More.Length));
    }

    [Fact]
    public async Task Session_whose_request_is_not_kept_goes_on_where_it_is()
    {
        await DisposeAsync();
        (_gateway, _first) = await GatewayHarness.WithSiloAsync(new LimitsOptions { ReplayBuffer = 0 });
        var (client, data) = await AskAsync();
        data.SendToClient(Answer, 900);
        data.SendFrame(FrameKind.HandOver, new HandOver { ClientRecord = ClientStart + 1, Silo = "second" }.Encode());
        await data.NextAsync(FrameKind.GoOn);

        data.SendToClient(Answer, 900);
        Assert.Equal(2 * Answer.Length, (await client.Connection.ReadAsync(2 * Answer.Length)).Length);
    }

    [Fact]
    public async Task Sessions_are_listed_by_what_is_asked_for()
    {
        var (_, data) = await AskAsync();
        data.SendToClient(Answer, 900);
        await _gateway.HeardAsync(_first);
        var session = Assert.Single(Listing.List(new SessionQuery()).Sessions);
        Assert.Equal(("g1", "silo", SessionState.Awake, "TLSv1.3", "TLS_AES_128_GCM_SHA256"), (session.Gateway, session.Silo, session.State, session.Version, session.CipherSuite));
        Assert.Equal((Request.Length, Answer.Length), (session.BytesFromClient, session.BytesToClient));
        Assert.Equal(_gateway.Clock.GetUtcNow(), session.EstablishedAt);
        var client = session.Client.Split(':')[0];

        Assert.Single(Listing.List(new SessionQuery { Silo = "silo", Client = client }).Sessions);
        Assert.Empty(Listing.List(new SessionQuery { Silo = "second" }).Sessions);
        Assert.Empty(Listing.List(new SessionQuery { Client = "203.0.113.0/24" }).Sessions);
        Assert.Empty(Listing.List(new SessionQuery { ServerName = "example.com" }).Sessions);
        Assert.Throws<FormatException>(() => Listing.List(new SessionQuery { Client = "nobody" }));
        var none = Listing.List(new SessionQuery { Limit = 0 });
        Assert.Equal((0, 1), (none.Sessions.Count, none.Total));
    }

    [Fact]
    public void Lists_of_gateways_are_merged_in_order_and_cut_to_the_limit()
    {
        static SessionInfo Session(int age, long bytes) => new()
        {
            SessionId = Guid.NewGuid(),
            Gateway = "g",
            Client = "",
            Version = "",
            CipherSuite = "",
            EstablishedAt = DateTimeOffset.UnixEpoch.AddSeconds(-age),
            BytesToClient = bytes,
        };
        SessionList[] lists = [new() { Sessions = [Session(5, 10), Session(1, 30)], Total = 7 }, new() { Sessions = [Session(9, 20)], Total = 1 }];

        var byBytes = SessionList.Merge(new SessionQuery { Order = SessionOrder.Bytes, Limit = 2 }, lists, ["g3"]);
        var byAge = SessionList.Merge(new SessionQuery { Limit = 2 }, lists, []);

        Assert.Equal([30, 20], byBytes.Sessions.Select(static session => session.BytesToClient));
        Assert.Equal([20, 10], byAge.Sessions.Select(static session => session.BytesToClient));
        Assert.Equal((8, "g3"), (byBytes.Total, Assert.Single(byBytes.Silent)));
    }

    [Fact]
    public async Task Http2_is_not_moved_and_a_stranger_is_not_known()
    {
        await _first.EstablishAsync(_gateway.Connect(), protocol: "h2");
        Assert.Equal(SessionMove.Http2, Listing.Move(Walk.SessionId, "second"));
        Assert.Equal(SessionMove.Unknown, Listing.Move(Guid.NewGuid(), "second"));
        Assert.False(Listing.End(Guid.NewGuid()));
        Assert.Null(Listing.Find(Guid.NewGuid()));
    }

    private async Task<(TestClient Client, TestChannel Data)> AskAsync()
    {
        var client = _gateway.Connect();
        var data = await _first.EstablishAsync(client);
        data.Attached();
        await client.Connection.SendAsync(Request);
        await data.NextRecordsAsync(Request.Length);
        return (client, data);
    }

    private async Task FallAsleepAsync()
    {
        var data = await _first.EstablishAsync(_gateway.Connect());
        data.Attached();
        data.Detach(ClientStart, ServerStart);
        await _gateway.Log.LineAsync("Connection 1 sleeps");
    }
}
