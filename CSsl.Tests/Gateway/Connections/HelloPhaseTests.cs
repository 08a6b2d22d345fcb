using System.Text;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using CSsl.Tests.Tls.Handshake;
using CSsl.Tls;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CSsl.Tests.Gateway.Connections;

/// <summary>What a client may send first, and what it gets when it sends something else.</summary>
public sealed class HelloPhaseTests : IAsyncLifetime
{
    private GatewayHarness _gateway = null!;
    private ScriptedSilo _silo = null!;

    public async ValueTask InitializeAsync() => (_gateway, _silo) = await GatewayHarness.WithSiloAsync();

    public async ValueTask DisposeAsync() => await _gateway.DisposeAsync().AsTask();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task Hello_in_small_records_and_one_byte_segments_reaches_the_silo_whole(int fragment)
    {
        var hello = new HelloBuilder().Versions(0x0304).ServerName("example.com");
        var client = _gateway.Connect();
        foreach (var octet in hello.Records(fragment))
            await client.Connection.SendAsync(octet);

        var channel = await _silo.TakeHelloAsync();
        var whole = hello.Records();
        Assert.Equal(whole, await channel.NextAsync(FrameKind.Handshake));
        channel.SendFrame(FrameKind.Flight, Walk.FlightOf(whole.Length, Walk.ServerHello));
        Assert.Equal(Walk.ServerHello, await client.Connection.ReadAsync(Walk.ServerHello.Length));
    }

    [Fact]
    public async Task Noise_is_closed_without_a_word_and_its_first_octets_are_logged()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync([0xFF, 0x00, 0xAB, .. new byte[100]]);

        Assert.Empty(await client.Connection.ReadToEndAsync());
        var (level, line) = Assert.Single(_gateway.RefusalLines.Lines);
        Assert.Equal(LogLevel.Information, level);
        Assert.Equal("Refused 192.0.2.7:50000: NotTls: first octets FF00AB00000000000000000000000000 (connection 1)", line);
        client.Connection.SendFin();
        await client.EndedAsync();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\n")]
    [InlineData("POST ")]
    public async Task Plain_http_gets_a_plain_400_even_a_byte_at_a_time(string request)
    {
        var client = _gateway.Connect();
        foreach (var octet in Encoding.ASCII.GetBytes(request))
            await client.Connection.SendAsync(octet);

        var answer = Encoding.ASCII.GetString(await client.Connection.ReadToEndAsync());
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("HTTPS", answer, StringComparison.Ordinal);
        client.Connection.SendFin();
        await client.EndedAsync();
    }

    [Fact]
    public async Task Start_of_an_http_method_that_ends_there_is_noise()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync("GE"u8.ToArray());
        client.Connection.SendFin();

        Assert.Empty(await client.Connection.ReadToEndAsync());
        Assert.Contains("NotTls", Assert.Single(_gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], AlertDescription> BadHellos => new()
    {
        { "SSLv2 hello", [0x80, 0x2E, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, .. new byte[36]], AlertDescription.ProtocolVersion },
        { "record of 20480 bytes", [22, 3, 1, 0x50, 0, 1, 0], AlertDescription.RecordOverflow },
        { "application data first", Walk.Record(23, 10), AlertDescription.UnexpectedMessage },
        { "change_cipher_spec first", Walk.Record(20, 1), AlertDescription.UnexpectedMessage },
        { "version 2.1 in the record", [22, 2, 1, 0, 5, 1], AlertDescription.ProtocolVersion },
        { "ServerHello", HelloBuilder.Record(22, [2, 0, 0, 1, 0]), AlertDescription.UnexpectedMessage },
        { "TLS 1.1 only", new HelloBuilder { LegacyVersion = 0x0302 }.Records(), AlertDescription.ProtocolVersion },
        { "hello cut short inside", HelloBuilder.Record(22, [1, 0, 0, 4, 3, 3, 0, 0]), AlertDescription.DecodeError },
    };

    [Theory]
    [MemberData(nameof(BadHellos))]
    public async Task Bad_hello_gets_the_right_alert_in_plaintext_and_fin(string what, byte[] hello, AlertDescription alert)
    {
        Assert.NotEmpty(what);
        var client = _gateway.Connect();
        await client.Connection.SendAsync(hello);

        Assert.Equal((byte[])[21, 3, 3, 0, 2, 2, (byte)alert], await client.Connection.ReadToEndAsync());
        client.Connection.SendFin();
        await client.EndedAsync();
        Assert.Equal(0, _gateway.Table.Count);
    }

    [Fact]
    public async Task Alert_arrives_though_the_client_goes_on_sending_and_what_it_sends_is_thrown_away()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Record(23, 10));
        var answer = client.Connection.ReadToEndAsync();
        for (var i = 0; i < 3; i++)
            await client.Connection.SendAsync(new byte[60_000]);

        Assert.Equal(7, (await answer).Length);
        Assert.False(client.Ended.IsCompleted);
        client.Connection.SendFin();
        await client.EndedAsync();
    }

    [Fact]
    public async Task Client_that_never_closes_its_side_is_waited_for_two_seconds()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Record(23, 10));
        await client.Connection.ReadToEndAsync();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(client.Ended.IsCompleted);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(0.3));
        await client.EndedAsync();
    }

    [Fact]
    public async Task Client_that_never_stops_sending_is_cut_off()
    {
        var client = _gateway.Connect();
        await client.Connection.SendAsync(Walk.Record(23, 10));
        await client.Connection.ReadToEndAsync();
        for (var sent = 0; sent <= 256 * 1024; sent += 32 * 1024)
            client.Connection.TrySend(new byte[32 * 1024]);
        await client.EndedAsync();
    }

    [Fact]
    public async Task Silent_client_is_closed_after_the_first_byte_time()
    {
        var client = _gateway.Connect();
        _gateway.Clock.Advance(_gateway.Limits.FirstByteTime - TimeSpan.FromSeconds(1));
        Assert.False(client.Ended.IsCompleted);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1.2));

        Assert.Empty(await client.Connection.ReadToEndAsync());
        Assert.Contains("FirstByteTimeout", Assert.Single(_gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hello_that_is_not_complete_in_the_handshake_time_is_closed()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { FirstByteTime = TimeSpan.FromSeconds(1), HandshakeTime = TimeSpan.FromSeconds(5) });
        var client = gateway.Connect();
        await client.Connection.SendAsync(Walk.Hello[..20]);
        gateway.Clock.Advance(TimeSpan.FromSeconds(4));
        await client.Connection.SendAsync(Walk.Hello[20]);
        Assert.False(client.Ended.IsCompleted);
        gateway.Clock.Advance(TimeSpan.FromSeconds(1.2));

        Assert.Empty(await client.Connection.ReadToEndAsync());
        Assert.Contains("HandshakeTimeout: first octets 1603", Assert.Single(gateway.RefusalLines.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hello_longer_than_the_limit_is_refused_before_it_is_all_there()
    {
        await using var gateway = new GatewayHarness(new LimitsOptions { HandshakeBytes = 4096 });
        var client = gateway.Connect();
        await client.Connection.SendAsync([22, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xF0]);
        for (var i = 0; i < 5; i++)
            await client.Connection.SendAsync(new byte[1000]);

        Assert.Equal((byte[])[21, 3, 3, 0, 2, 2, (byte)AlertDescription.DecodeError], await client.Connection.ReadToEndAsync());
    }

    [Fact]
    public async Task Client_that_leaves_before_its_hello_is_no_news()
    {
        var client = _gateway.Connect();
        client.Connection.SendReset();
        await client.EndedAsync();

        Assert.All(_gateway.RefusalLines.Lines, line => Assert.Equal(LogLevel.Debug, line.Level));
        Assert.Equal(0, _gateway.Table.Count);
    }
}
