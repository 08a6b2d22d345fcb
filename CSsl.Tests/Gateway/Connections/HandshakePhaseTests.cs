using CSsl.Gateway.Connections;
using CSsl.Grains.Cluster;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Handshake;
using Xunit;

namespace CSsl.Tests.Gateway.Connections;

/// <summary>The handshake between client and silo, through the gateway.</summary>
public sealed class HandshakePhaseTests : IAsyncLifetime
{
    private GatewayHarness _gateway = null!;
    private ScriptedSilo _silo = null!;

    public async ValueTask InitializeAsync() => (_gateway, _silo) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Fact]
    public async Task Silo_learns_who_the_client_is_and_how_much_time_is_left()
    {
        var client = _gateway.Connect();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(4));
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.NextAsync();

        var start = HandshakeStart.Decode(await channel.NextAsync(FrameKind.HandshakeStart));
        Assert.Equal("silo", start.DataSilo);
        Assert.Equal("192.0.2.7:50000", start.Client.ToString());
        Assert.Equal(6000, start.DeadlineMilliseconds);
        Assert.Equal(Walk.Hello, await channel.NextAsync(FrameKind.Handshake));
    }

    [Fact]
    public async Task Client_that_does_not_take_its_alert_is_reset_when_the_time_is_over()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);

        // All that the kernel keeps for a client that does not read; then the client breaks a rule.
        byte[] flight = [.. Enumerable.Range(0, 4).SelectMany(static _ => Walk.Record(22, 16_000)), .. Walk.Record(22, MemoryConnection.KernelBuffer - (4 * 16_005) - 6)];
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, flight));
        await client.Connection.SendAsync(22, 3, 3, 0x50, 0);
        await _gateway.RefusalLines.LineAsync("Refused");
        _gateway.Clock.Advance(Deadlines.LingerTime - TimeSpan.FromSeconds(0.2));
        Assert.False(client.Ended.IsCompleted);
        await Eventually.TrueAsync(
            () =>
            {
                _gateway.Clock.Advance(TimeSpan.FromSeconds(0.2));
                return client.Connection.IsReset;
            },
            "the client is reset");
        await client.EndedAsync();
    }

    [Fact]
    public async Task Next_records_follow_the_answer_and_never_precede_it()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync([.. Walk.Hello, .. Walk.Record(20, 1)]);
        var channel = await _silo.TakeHelloAsync();
        Assert.Equal(Walk.Hello, await channel.NextAsync(FrameKind.Handshake));
        Assert.False(channel.TryNext(out _));

        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        Assert.Equal(Walk.ServerHello, await client.Connection.ReadAsync(Walk.ServerHello.Length));
        Assert.Equal(Walk.Record(20, 1), await channel.NextAsync(FrameKind.Handshake));
    }

    [Fact]
    public async Task What_the_silo_did_not_consume_goes_to_the_data_phase_exactly_once()
    {
        var request = Walk.Record(23, 200);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var handshake = await _silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);

        await client.Connection.SendAsync([.. Walk.Finished, .. request, .. request[..50]]);
        Assert.Equal((byte[])[.. Walk.Finished, .. request], await handshake.NextAsync(FrameKind.Handshake));
        handshake.SendFrame(FrameKind.Established, Walk.EstablishedOf(Walk.Finished.Length, Walk.Tickets));

        var data = await _silo.NextAsync();
        var attach = Attach.Decode(await data.NextAsync(FrameKind.Attach));
        Assert.Equal((Walk.SessionId, 3UL, 5UL), (attach.SessionId, attach.ClientSequence, attach.ServerSequence));
        Assert.Equal(Walk.Capsule, attach.Capsule.ToArray());
        Assert.Equal(("192.0.2.7:50000", "127.0.0.1:8443"), (attach.Client.ToString(), attach.Server.ToString()));
        Assert.Equal(request, await data.NextAsync(FrameKind.Records));

        await client.Connection.SendAsync(request[50..]);
        Assert.Equal(request, await data.NextAsync(FrameKind.Records));
        var response = Walk.Record(23, 300);
        data.SendToClient(response);
        Assert.Equal((byte[])[.. Walk.Tickets, .. response], await client.Connection.ReadAsync(Walk.Tickets.Length + response.Length));
        Assert.Equal(5UL, _gateway.Session().Upstream.Read(static received => received.End));
        Assert.Equal(6UL, _gateway.Session().Downstream.Read(static sent => sent.Records));
        Assert.Equal(1, _gateway.Meters.HandshakesCompleted);
        Assert.Equal(0, _gateway.Admission.UnderWay);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13)]
    [InlineData(TlsVersion.Tls12)]
    public async Task Last_records_of_the_handshake_reach_the_client_without_any_answer(TlsVersion version)
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync([.. Walk.Hello, .. Walk.Record(23, 200)]);
        var handshake = await _silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Established, Walk.EstablishedOf(Walk.Hello.Length, Walk.Tickets, version));
        var data = await _silo.NextAsync();
        await data.NextAsync(FrameKind.Attach);
        if (version == TlsVersion.Tls13)
            data.SendFrame(FrameKind.Close, (byte)CloseReason.Done);

        Assert.Equal(Walk.Tickets, await client.Connection.ReadAsync(Walk.Tickets.Length));
    }

    [Fact]
    public async Task Exchange_behind_the_hello_carries_a_bounded_number_of_records()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        await client.Connection.SendAsync([.. Enumerable.Range(0, 300).SelectMany(_ => Walk.Record(22, 30))]);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));

        Assert.Equal(256 * 35, (await channel.NextAsync(FrameKind.Handshake)).Length);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(256 * 35, []));
        Assert.Equal(44 * 35, (await channel.NextAsync(FrameKind.Handshake)).Length);
    }

    [Theory]
    [InlineData(HandshakeFailure.NoSharedVersion, "ProtocolVersion")]
    [InlineData(HandshakeFailure.NoSharedCipherSuite, "NoSharedCipherSuite")]
    [InlineData(HandshakeFailure.NoSharedGroup, "NoSharedGroup")]
    [InlineData(HandshakeFailure.NoSharedCertificate, "NoSharedCertificate")]
    [InlineData(HandshakeFailure.NoSharedProtocol, "NoSharedProtocol")]
    [InlineData(HandshakeFailure.BadRecord, "BadRecord")]
    [InlineData(HandshakeFailure.Malformed, "Malformed")]
    [InlineData(HandshakeFailure.ClientCertificate, "ClientCertificate")]
    [InlineData(HandshakeFailure.ClientAlert, "ClientAlert")]
    [InlineData(HandshakeFailure.Deadline, "HandshakeTimeout")]
    [InlineData(HandshakeFailure.LaneFull, "TooManyHandshakes")]
    [InlineData(HandshakeFailure.Internal, "HandshakeFailed")]
    [InlineData((HandshakeFailure)200, "HandshakeFailed")]
    public async Task Handshake_that_fails_delivers_the_alert_and_says_why(HandshakeFailure failure, string reason)
    {
        var alert = Walk.Record(21, 2);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, alert, failure, "what OpenSSL says"));

        Assert.Equal(alert, await client.Connection.ReadToEndAsync());
        Assert.False(client.Connection.IsReset);
        Assert.Equal($"Refused 192.0.2.7:50000: {reason}: for example.com at silo, what OpenSSL says (connection 1)", Assert.Single(_gateway.RefusalLines.Lines).Message);
    }

    [Fact]
    public async Task Silo_lost_before_its_first_answer_is_replaced_by_another_that_gets_the_same_hello()
    {
        var second = await _gateway.AddSiloAsync("second", machineCpu: 0.9);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var lost = await _silo.TakeHelloAsync();
        Assert.Equal(Walk.Hello, await lost.NextAsync(FrameKind.Handshake));
        await _silo.DisposeAsync();

        var channel = await second.TakeHelloAsync();
        Assert.Equal(Walk.Hello, await channel.NextAsync(FrameKind.Handshake));
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        Assert.Equal(Walk.ServerHello, await client.Connection.ReadAsync(Walk.ServerHello.Length));
    }

    [Fact]
    public async Task Hello_in_many_records_goes_to_a_silo_in_one_exchange_and_when_that_is_lost_to_the_next()
    {
        var second = await _gateway.AddSiloAsync("second", machineCpu: 0.9);
        var message = Tls.Handshake.HelloBuilder.Longest();
        var client = _gateway.Connect();
        foreach (var part in Tls.Handshake.HelloBuilder.Records(message, 1).Chunk(16 * 1024))
            await client.Connection.SendAsync(part);
        await client.Connection.SendAsync(Walk.Finished);
        var hello = Tls.Handshake.HelloBuilder.Records(message, 1 << 14);
        var lost = await _silo.TakeHelloAsync();
        Assert.Equal(hello, await lost.NextAsync(FrameKind.Handshake));
        await _silo.DisposeAsync();

        var channel = await second.TakeHelloAsync();
        Assert.Equal(hello, await channel.NextAsync(FrameKind.Handshake));
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(hello.Length, Walk.ServerHello));
        Assert.Equal(Walk.Finished, await channel.NextAsync(FrameKind.Handshake));
    }

    [Fact]
    public async Task Hellos_of_all_clients_have_a_bounded_amount_of_memory_and_small_ones_need_none_of_it()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { HelloMemory = 10_000 });
        var silo = await gateway.AddSiloAsync("silo");
        var large = Tls.Handshake.HelloBuilder.Records(Tls.Handshake.HelloBuilder.Longest(), 1 << 14)[..12_000];
        var first = gateway.Connect();
        await first.Connection.SendAsync(large);
        var second = gateway.Connect();
        await second.Connection.SendAsync(large);

        Assert.Equal((byte)AlertDescription.InternalError, (await second.Connection.ReadToEndAsync())[^1]);
        Assert.Contains("HelloMemory", Assert.Single(gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
        Assert.Equal(12_000 - 4096, gateway.HelloMemory.Held);

        var small = gateway.Connect();
        await small.Connection.SendAsync(Walk.Hello);
        await silo.TakeHelloAsync();

        first.Connection.SendReset();
        await first.EndedAsync();
        Assert.Equal(0, gateway.HelloMemory.Held);
        var third = gateway.Connect();
        await third.Connection.SendAsync(large);
        Assert.Equal(12_000 - 4096, gateway.HelloMemory.Held);
    }

    [Fact]
    public async Task Memory_of_a_hello_comes_back_when_its_handshake_is_over()
    {
        var client = _gateway.Connect();
        var hello = Tls.Handshake.HelloBuilder.Records(Tls.Handshake.HelloBuilder.Longest(), 1 << 14);
        foreach (var part in hello.Chunk(16 * 1024))
            await client.Connection.SendAsync(part);
        var handshake = await _silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        Assert.Equal(hello.Length - 4096, _gateway.HelloMemory.Held);
        handshake.SendFrame(FrameKind.Established, Walk.EstablishedOf(hello.Length, Walk.Tickets));
        await (await _silo.NextAsync()).NextAsync(FrameKind.Attach);

        Assert.Equal(0, _gateway.HelloMemory.Held);
    }

    [Fact]
    public async Task Silo_that_refuses_is_passed_over()
    {
        var second = await _gateway.AddSiloAsync("second", machineCpu: 0.9);
        _silo.Accepts = false;
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);

        Assert.Equal(Walk.Hello, await (await second.TakeHelloAsync()).NextAsync(FrameKind.Handshake));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Silo_lost_after_the_client_had_an_answer_closes_the_connection_at_once(bool isClientSilent)
    {
        await _gateway.AddSiloAsync("second", machineCpu: 0.9);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);
        if (!isClientSilent)
        {
            await client.Connection.SendAsync(Walk.Finished);
            await channel.NextAsync(FrameKind.Handshake);
        }

        await _silo.DisposeAsync();

        Assert.Empty(await client.Connection.ReadToEndAsync());
        Assert.Contains("SiloLost", Assert.Single(_gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_handshake_silo_the_client_gets_internal_error()
    {
        await using var gateway = new GatewayHarness();
        await gateway.AddSiloAsync("data-only", SiloRoles.Data);
        var client = gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);

        Assert.Equal((byte[])[21, 3, 3, 0, 2, 2, (byte)AlertDescription.InternalError], await client.Connection.ReadToEndAsync());
        Assert.Contains("NoHandshakeSilo", Assert.Single(gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_data_silo_the_connection_is_reset_because_no_alert_can_be_read_any_more()
    {
        await using var gateway = new GatewayHarness();
        var silo = await gateway.AddSiloAsync("handshake-only", SiloRoles.Handshake);
        var client = gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var handshake = await silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        handshake.SendFrame(FrameKind.Established, Walk.EstablishedOf(Walk.Hello.Length, Walk.ServerHello));

        await gateway.Log.LineAsync("waits for a silo");
        Assert.False(client.Connection.IsReset);
        gateway.Clock.Advance(gateway.Limits.TakeoverTime + TimeSpan.FromSeconds(0.2));
        await client.Connection.Reset;
        Assert.Contains("NoDataSilo", Assert.Single(gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silo_that_does_not_answer_in_the_handshake_time_is_told_that_the_client_is_gone()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        _gateway.Clock.Advance(_gateway.Limits.HandshakeTime + TimeSpan.FromSeconds(0.2));

        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
        Assert.Empty(await client.Connection.ReadToEndAsync());
        Assert.Contains("HandshakeTimeout", Assert.Single(_gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
        Assert.Equal(0, _gateway.Admission.UnderWay);
    }

    [Fact]
    public async Task Client_that_stalls_between_flights_is_closed_in_the_handshake_time()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);
        await client.Connection.SendAsync(Walk.Finished[..10]);
        _gateway.Clock.Advance(_gateway.Limits.HandshakeTime + TimeSpan.FromSeconds(0.2));

        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
        Assert.Empty(await client.Connection.ReadToEndAsync());
    }

    [Fact]
    public async Task Client_that_goes_away_is_forgotten_at_the_silo()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);
        client.Connection.SendReset();

        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
        await client.EndedAsync();
    }

    [Fact]
    public async Task Client_that_sends_more_than_the_limit_in_its_handshake_is_refused()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { HandshakeBytes = 2000 });
        var silo = await gateway.AddSiloAsync("silo");
        var client = gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, Walk.ServerHello));
        await client.Connection.ReadAsync(Walk.ServerHello.Length);
        await client.Connection.SendAsync(Walk.Record(22, 1990));

        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
        Assert.Equal((byte)AlertDescription.DecodeError, (await client.Connection.ReadToEndAsync())[^1]);
    }

    [Fact]
    public async Task Handshakes_over_the_limit_are_refused_and_places_come_back()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { ConcurrentHandshakes = 1, HandshakeQueue = 0 });
        var silo = await gateway.AddSiloAsync("silo");
        var first = gateway.Connect();
        await first.Connection.SendAsync(Walk.Hello);
        var channel = await silo.TakeHelloAsync();

        var second = gateway.Connect();
        await second.Connection.SendAsync(Walk.Hello);
        Assert.Equal((byte)AlertDescription.InternalError, (await second.Connection.ReadToEndAsync())[^1]);

        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, [], HandshakeFailure.Malformed));
        await first.Connection.ReadToEndAsync();
        var third = gateway.Connect();
        await third.Connection.SendAsync(Walk.Hello);
        await silo.TakeHelloAsync();
    }

    [Fact]
    public async Task Handshake_over_the_limit_waits_for_a_place_and_no_longer_than_it_may()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { ConcurrentHandshakes = 1 });
        var silo = await gateway.AddSiloAsync("silo");
        var first = gateway.Connect();
        await first.Connection.SendAsync(Walk.Hello);
        var channel = await silo.TakeHelloAsync();

        var (second, third) = (gateway.Connect(), gateway.Connect());
        await second.Connection.SendAsync(Walk.Hello);
        await Eventually.TrueAsync(() => gateway.Admission.Waiting == 1, "the second waits");
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length, [], HandshakeFailure.Malformed));
        await silo.TakeHelloAsync();

        await third.Connection.SendAsync(Walk.Hello);
        await Eventually.TrueAsync(() => gateway.Admission.Waiting == 1, "the third waits");
        gateway.Clock.Advance(gateway.Limits.HandshakeQueueTime + TimeSpan.FromSeconds(0.1));
        Assert.Equal((byte)AlertDescription.InternalError, (await third.Connection.ReadToEndAsync())[^1]);
    }

    [Fact]
    public async Task Source_that_is_too_fast_is_turned_away_before_anything_of_it_is_read()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { SourceHandshakeRate = 1, SourceHandshakeBurst = 1 });
        var silo = await gateway.AddSiloAsync("silo");
        var first = gateway.Connect();
        await first.Connection.SendAsync(Walk.Hello);
        await silo.TakeHelloAsync();

        await gateway.Connect().EndedAsync();
        Assert.Contains(gateway.RefusalLines.Lines, line => line.Message.Contains("SourceTooFast", StringComparison.Ordinal));

        gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        var third = gateway.Connect();
        await third.Connection.SendAsync(Walk.Hello);
        await silo.TakeHelloAsync();
    }

    [Fact]
    public async Task Silo_that_leaves_records_unconsumed_without_being_done_is_not_believed()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(Walk.Hello.Length - 1, Walk.ServerHello));

        Assert.Equal(Walk.ServerHello, await client.Connection.ReadToEndAsync());
        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
    }

    [Fact]
    public async Task Shutdown_resets_a_handshake_under_way()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var channel = await _silo.TakeHelloAsync();
        await channel.NextAsync(FrameKind.Handshake);
        _gateway.Table.ResetAll(RefusalReason.Stopping);

        await client.Connection.Reset;
        Assert.Equal(CloseReason.ClientGone, await channel.NextCloseAsync());
    }
}
