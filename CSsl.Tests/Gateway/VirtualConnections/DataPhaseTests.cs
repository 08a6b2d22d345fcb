using CSsl.Gateway.Connections;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CSsl.Tests.Gateway.VirtualConnections;

/// <summary>Records both ways, back-pressure, and every way for it to end.</summary>
public sealed class DataPhaseTests : IAsyncLifetime
{
    private const int Credit = 256 * 1024;

    private GatewayHarness _gateway = null!;
    private ScriptedSilo _silo = null!;

    public async ValueTask InitializeAsync() => (_gateway, _silo) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Fact]
    public void Records_arrive_in_order_and_whole_whatever_their_sizes_and_the_segments_are()
        => Prop.ForAll(Arb.From(Gen.Choose(1, 16_640).ArrayOf(30)), Arb.From(Gen.Choose(1, 40_000)), (lengths, segment) => RoundTripAsync(lengths, segment).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public async Task Silos_records_reach_the_client_and_are_counted()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        byte[] response = [.. Walk.Record(23, 1000), .. Walk.Record(23, 16_000)];
        data.SendToClient(response);

        Assert.Equal(response, await client.Connection.ReadAsync(response.Length));
        Assert.Equal(7UL, _gateway.Session().Downstream.Read(static sent => sent.Records));
    }

    [Fact]
    public async Task Client_that_half_closes_still_gets_its_answer()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        var request = Walk.Record(23, 300);
        await client.Connection.SendAsync([.. request, .. request[..7]]);
        client.Connection.SendFin();
        Assert.Equal(request, await data.NextAsync(FrameKind.Records));
        Assert.Empty(await data.NextAsync(FrameKind.Eof));

        var response = Walk.Record(23, 5000);
        data.SendToClient(response);
        data.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
        Assert.Equal(response, await client.Connection.ReadToEndAsync());
        await client.EndedAsync();
        Assert.False(client.Connection.IsReset);
        Assert.Equal(0, _gateway.Table.Count);
    }

    [Theory]
    [InlineData(CloseReason.Done)]
    [InlineData(CloseReason.ProtocolError)]
    public async Task End_in_order_delivers_all_records_before_fin(CloseReason reason)
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        var last = Walk.Record(23, 19);
        data.SendToClient(Walk.Record(23, 16_000));
        data.SendToClient(last);
        data.SendFrame(FrameKind.Close, (byte)reason);

        Assert.Equal(last, (await client.Connection.ReadToEndAsync())[^last.Length..]);
        client.Connection.SendFin();
        await client.EndedAsync();
        Assert.False(client.Connection.IsReset);
    }

    [Fact]
    public async Task End_in_the_middle_is_a_reset_so_that_nobody_takes_the_part_for_the_whole()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        data.SendToClient(Walk.Record(23, 1000));
        data.SendFrame(FrameKind.Close, (byte)CloseReason.Aborted);

        await client.Connection.Reset;
        await client.EndedAsync();
    }

    [Fact]
    public async Task Client_reset_is_told_to_the_silo()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        client.Connection.SendReset();

        Assert.Equal(CloseReason.ClientGone, await data.NextCloseAsync());
        await client.EndedAsync();
    }

    [Fact]
    public async Task Client_that_is_gone_when_the_answer_comes_is_told_to_the_silo()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        client.Connection.SendFin();
        await data.NextAsync(FrameKind.Eof);
        client.Connection.Abort(new("gone"));
        data.SendToClient(Walk.Record(23, 1000));

        Assert.Equal(CloseReason.ClientGone, await data.NextCloseAsync());
        await client.EndedAsync();
    }

    [Fact]
    public async Task Slow_client_holds_its_own_credit_and_nobody_elses()
    {
        var slow = _gateway.Connect();
        var slowData = await _silo.EstablishAsync(slow);
        var quick = _gateway.Connect();
        var quickData = await _silo.EstablishAsync(quick);
        var record = Walk.Record(23, 16_000);
        var records = Credit / record.Length * 3;
        for (var i = 0; i < records; i++)
            slowData.SendToClient(record);

        // The quick one is served behind it, so whatever the slow one could send has been sent.
        quickData.SendToClient(record);
        Assert.Equal(record, await quick.Connection.ReadAsync(record.Length));
        var sent = slowData.Rooms.Count;
        Assert.InRange(sent * record.Length, Credit - record.Length, Credit + MemoryConnection.KernelBuffer + (2 * record.Length));

        for (var i = 0; i < records; i++)
            Assert.Equal(record, await slow.Connection.ReadAsync(record.Length));
        Assert.Equal(records, slowData.Rooms.Count);
    }

    [Fact]
    public async Task Silo_that_returns_no_credit_stops_the_client()
    {
        _silo.ReturnsCredit = false;
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        var record = Walk.Record(23, 16_000);
        var sent = 0;
        while (client.Connection.TrySend(record))
            sent += record.Length;

        // The credit, and what the client's pipe holds; not more, whatever the client has.
        Assert.InRange(sent, Credit, Credit + (96 * 1024));
        data.GiveCredit((await data.NextRecordsAsync(Credit)).Length);
        await data.NextAsync(FrameKind.Records);
    }

    [Theory]
    [InlineData(TlsVersion.Tls13, (1 << 14) + 257)]
    [InlineData(TlsVersion.Tls12, (1 << 14) + 2049)]
    public async Task Header_that_breaks_the_rules_goes_to_the_silo_alone_and_nothing_after_it(TlsVersion version, int length)
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client, version);
        var bad = Walk.Record(23, length);
        await client.Connection.SendAsync([.. Walk.Record(23, 100), .. bad]);
        Assert.Equal((byte[])[.. Walk.Record(23, 100), .. bad[..5]], await data.NextRecordsAsync(110));
        client.Connection.TrySend(Walk.Record(23, 100));

        var alert = Walk.Record(23, 19);
        data.SendToClient(alert);
        data.SendFrame(FrameKind.Close, (byte)CloseReason.ProtocolError);
        Assert.Equal(alert, await client.Connection.ReadToEndAsync());
        Assert.False(data.TryNext(out _));
    }

    [Fact]
    public async Task Noise_in_the_data_phase_goes_to_the_silo_alone()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        await client.Connection.SendAsync(0x50);
        Assert.Equal((byte[])[0x50], await data.NextAsync(FrameKind.Records));
    }

    [Fact]
    public async Task Client_that_does_not_take_the_last_bytes_is_reset_in_the_end()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        for (var i = 0; i < 10; i++)
            data.SendToClient(Walk.Record(23, 16_000));

        // What is said for another client in between has passed the link when that client has it.
        await _silo.EstablishAsync(_gateway.Connect());
        data.SendFrame(FrameKind.Close, (byte)CloseReason.Done);
        await _silo.EstablishAsync(_gateway.Connect());

        _gateway.Clock.Advance(Deadlines.DeliveryTime + TimeSpan.FromSeconds(0.2));
        await client.Connection.Reset;
    }

    [Fact]
    public async Task Silo_that_refuses_the_session_is_not_the_last_word_when_it_says_goodbye_first()
    {
        var second = await _gateway.AddSiloAsync("second", machineCpu: 0.9);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello);
        var handshake = await _silo.TakeHelloAsync();
        await handshake.NextAsync(FrameKind.Handshake);
        _silo.SayGoodbye();
        handshake.SendFrame(FrameKind.Established, Walk.EstablishedOf(Walk.Hello.Length, Walk.ServerHello));

        await (await second.NextAsync()).NextAsync(FrameKind.Attach);
    }

    [Fact]
    public async Task Shutdown_resets_what_is_left()
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        _gateway.Table.ResetAll(RefusalReason.Stopping);

        await client.Connection.Reset;
        Assert.Equal(CloseReason.ClientGone, await data.NextCloseAsync());
        await client.EndedAsync();
    }

    private async Task RoundTripAsync(int[] lengths, int segment)
    {
        var client = _gateway.Connect();
        var data = await _silo.EstablishAsync(client);
        byte[] all = [.. lengths.SelectMany((length, i) => Walk.Record(23, length, (byte)i))];

        var received = data.NextRecordsAsync(all.Length);
        for (var start = 0; start < all.Length; start += segment)
            await client.Connection.SendAsync(all[start..Math.Min(start + segment, all.Length)]);
        Assert.Equal(all, await received);

        var read = client.Connection.ReadAsync(all.Length);
        var at = 0;
        foreach (var length in lengths)
        {
            data.SendToClient(all[at..(at + 5 + length)]);
            at += 5 + length;
        }

        Assert.Equal(all, await read);
        client.Connection.SendReset();
        await data.NextCloseAsync();
        await client.EndedAsync();
    }
}
