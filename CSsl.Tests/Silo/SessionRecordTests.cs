using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using Xunit;

namespace CSsl.Tests.Silo;

public sealed class SessionRecordTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public static TheoryData<CipherSuite, bool> Suites => TestSessions.All;

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task A_session_of_every_suite_is_served(CipherSuite suite, bool encryptThenMac)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo, suite, encryptThenMac);

        await session.SendRequestAsync(Request);

        Assert.StartsWith("HTTP/1.1 200", await session.ReadTextUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_KeyUpdate_that_asks_for_one_is_answered_between_two_responses()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await session.ReadTextUntilAsync("0\r\n\r\n");

        await session.Channel.SendAsync(session.Client.SealKeyUpdate(1));
        var (type, content) = Assert.Single(await session.NextAsync());
        Assert.Equal(ContentType.Handshake, type);
        Assert.Equal([24, 0, 0, 1, 0], content);
        session.Client.Reader.UpdateKey();

        await session.SendRequestAsync(Request);
        Assert.StartsWith("HTTP/1.1 200", await session.ReadTextUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_KeyUpdates_during_a_download_leave_it_whole()
    {
        const int Length = 8 << 20;
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static async context =>
        {
            context.Response.ContentLength = Length;
            await context.Response.Body.WriteAsync(new byte[Length], context.RequestAborted);
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);

        var (received, sent, updates) = (0L, 0, 0);
        var headers = -1;
        while (headers < 0 || received < headers + Length)
        {
            var records = (await session.Channel.NextAsync())!;
            session.Channel.Return(records.Length);
            for (ReadOnlyMemory<byte> rest = records; !rest.IsEmpty;)
            {
                var length = RecordHeader.Size + ((rest.Span[3] << 8) | rest.Span[4]);
                var (type, content) = session.Client.Open(rest.Span[..length]);
                rest = rest[length..];
                if (type == ContentType.Handshake)
                {
                    session.Client.Reader.UpdateKey();
                    updates++;
                    continue;
                }

                if (headers < 0)
                    headers = content.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
                received += content.Length;
            }

            // As a client past its key's limit does.
            await session.Channel.SendAsync(session.Client.SealKeyUpdate(1));
        }

        Assert.Equal(headers + Length, received);
        Assert.True(updates > 0, "no KeyUpdate was answered");
    }

    [Fact]
    public async Task A_record_that_was_tampered_with_ends_the_session_with_bad_record_mac()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);
        var record = session.Client.SealData(100);
        record[^1] ^= 1;

        await session.Channel.SendAsync(record);

        var (type, content) = Assert.Single(await session.NextAsync());
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([(byte)AlertLevel.Fatal, (byte)AlertDescription.BadRecordMac], content);
        Assert.Null(await session.Channel.NextAsync());
        Assert.Equal(CloseReason.ProtocolError, await session.Channel.Closed);
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
    }

    [Theory]
    [InlineData(new byte[] { 23, 3, 3, 0x41, 1 }, AlertDescription.RecordOverflow)]
    [InlineData(new byte[] { 23, 2, 3, 0, 40 }, AlertDescription.ProtocolVersion)]
    [InlineData(new byte[] { 0x50 }, AlertDescription.UnexpectedMessage)]
    public async Task A_header_that_breaks_the_rules_ends_the_session_with_a_sealed_alert(byte[] header, AlertDescription alert)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);

        await session.Channel.SendAsync(header);

        var (type, content) = Assert.Single(await session.NextAsync());
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([(byte)AlertLevel.Fatal, (byte)alert], content);
        Assert.Null(await session.Channel.NextAsync());
        Assert.Equal(CloseReason.ProtocolError, await session.Channel.Closed);
    }

    [Fact]
    public async Task A_fatal_alert_of_the_client_ends_the_session_and_its_request()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (reached, aborted) = silo.HoldRequests();
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await reached;

        await session.Channel.SendAsync(session.Client.SealAlert(AlertLevel.Fatal, AlertDescription.InternalError));

        Assert.Equal(CloseReason.Aborted, await session.Channel.Closed);
        await aborted;
    }

    [Fact]
    public async Task close_notify_of_the_client_ends_its_direction_only()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (_, go) = silo.HoldAnswers("late but whole");
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await session.Channel.SendAsync(session.Client.SealAlert(AlertLevel.Warning, AlertDescription.CloseNotify));
        session.Channel.SendEof();
        go.SetResult();

        Assert.Contains("late but whole", await session.ReadTextUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
        var (type, content) = Assert.Single(await session.NextAsync());
        Assert.Equal(ContentType.Alert, type);
        Assert.Equal([(byte)AlertLevel.Warning, (byte)AlertDescription.CloseNotify], content);
        Assert.Equal(CloseReason.Done, await session.Channel.Closed);
    }

    [Fact]
    public async Task A_capsule_of_another_session_is_refused()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var attach = DirectSession.NewAttach(silo, Guid.NewGuid());

        var channel = silo.Gateway.Attach(attach with { SessionId = Guid.NewGuid() });

        Assert.Equal(CloseReason.BadCapsule, await channel.Closed);
        Assert.Equal(0, silo.Sessions.Count);
    }

    [Fact]
    public async Task A_sequence_number_from_before_the_capsule_is_refused()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var attach = DirectSession.NewAttach(silo, Guid.NewGuid());

        var channel = silo.Gateway.Attach(attach with { ServerSequence = attach.ServerSequence - 1 });

        Assert.Equal(CloseReason.Refused, await channel.Closed);
    }

    [Fact]
    public async Task A_frame_that_holds_no_whole_records_ends_the_session()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);

        await session.Channel.SendAsync(session.Client.SealData(100)[..^1]);

        Assert.Equal(CloseReason.Aborted, await session.Channel.Closed);
        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the session is gone");
    }

    [Fact]
    public async Task A_session_that_is_attached_again_is_served_once()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var second = await silo.ConnectGatewayAsync();
        await using var before = DirectSession.Attach(silo);
        await before.SendRequestAsync(Request);
        await before.ReadTextUntilAsync("0\r\n\r\n");

        await using var after = DirectSession.Attach(silo, gateway: second, sessionId: before.SessionId, generation: 2);

        await after.SendRequestAsync(Request);
        Assert.StartsWith("HTTP/1.1 200", await after.ReadTextUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal(CloseReason.Superseded, await before.Channel.Closed);
        Assert.Equal(1, silo.Sessions.Count);
    }
}
