using System.Text;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Records;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>When an HTTP/1.1 connection is quiescent, and what the gateway is told then. <see cref="GatewayBooks"/> compares every checkpoint with its own counts.</summary>
public sealed class CheckpointTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    [InlineData(CipherSuite.EcdheRsaAes128CbcSha256)]
    public async Task Every_answered_request_is_a_checkpoint(CipherSuite suite)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo, suite);
        for (var i = 1; i <= 5; i++)
        {
            await session.SendRequestAsync(Request(i));
            await session.ReceiveUntilAsync(text => Answers(text) == i);
            await session.Books.CheckpointedAsync();
        }

        Assert.Empty(session.Books.Faults);
        Assert.Equal(session.Books.Forwarded, session.Books.Checkpoints[^1].ClientRecord);
        Assert.Equal(0UL, session.Books.DeliveredBytes);
    }

    [Fact]
    public async Task Pipelined_requests_are_one_checkpoint_behind_the_last()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Origin.Handler = async context =>
        {
            if (context.Request.Path == "/4")
                await last.Task;
            await context.Response.WriteAsync("hello");
        };
        await using var session = DirectSession.Attach(silo);

        await session.Channel.SendAsync([.. Enumerable.Range(1, 4).SelectMany(i => session.Client.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(Request(i))))]);
        await session.ReceiveUntilAsync(static text => Answers(text) == 3);
        Assert.Equal(4, session.Books.Retained);
        last.SetResult();
        await session.ReceiveUntilAsync(static text => Answers(text) == 4);
        await session.Books.CheckpointedAsync();

        Assert.Empty(session.Books.Faults);
    }

    /// <summary>Kestrel consumes a request line before it has the headers: then nothing is in flight, the input is empty, and yet the request must not be forgotten.</summary>
    [Theory]
    [InlineData("GET /2 HTTP/1.1\r\n")]
    [InlineData("GET /2 HTTP/1.1\r\nHost: localhost\r\n")]
    [InlineData("GET /2 HTTP/1.1\r\nHost: localhost\r\nX-A: b")]
    public async Task Half_a_head_is_no_checkpoint_and_keeps_the_session_awake(string half)
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=200ms");
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request(1));
        await session.ReceiveUntilAsync(static text => Answers(text) == 1);
        await session.Books.CheckpointedAsync();

        // Another one that has nothing to do begins later, and sleeps.
        await session.SendRequestAsync(half);
        await using var other = DirectSession.Attach(silo);
        Assert.Equal(DetachReason.Idle, (await other.Channel.Detached).Reason);
        Assert.Equal(1, session.Books.Retained);
        Assert.False(session.Channel.Closed.IsCompleted);

        await session.SendRequestAsync(half.EndsWith('\n') ? "Host: localhost\r\n\r\n"[(half.Contains("Host", StringComparison.Ordinal) ? 17 : 0)..] : "\r\n\r\n");
        await session.ReceiveUntilAsync(static text => Answers(text) == 2);
        await session.Books.CheckpointedAsync();
        Assert.Empty(session.Books.Faults);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n", "12345", "67890")]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n12345\r\n", "0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n12345\r\n", "0\r\nX-Trailer: a\r\n\r\n")]
    public async Task A_body_belongs_to_its_request(string head, string first, string rest)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.AnswerUploads("hello");
        await using var session = DirectSession.Attach(silo);
        for (var i = 1; i <= 3; i++)
        {
            await session.SendRequestAsync(head);
            await session.SendRequestAsync(first);
            await session.SendRequestAsync(rest);
            await session.ReceiveUntilAsync(text => Answers(text) == i);
            await session.Books.CheckpointedAsync();
        }

        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task A_KeyUpdate_of_the_client_at_rest_is_a_checkpoint_with_a_new_capsule()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request(1));
        await session.ReceiveUntilAsync(static text => Answers(text) == 1);
        await session.Books.CheckpointedAsync();
        Assert.All(session.Books.Checkpoints, static checkpoint => Assert.True(checkpoint.Capsule.IsEmpty));

        await session.Channel.SendAsync(session.Client.SealKeyUpdate(0));
        await session.Books.CheckpointedAsync();

        Assert.False(session.Books.Checkpoints[^1].Capsule.IsEmpty);
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task A_client_that_does_not_read_has_no_checkpoint_until_it_does()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = static context =>
        {
            context.Response.ContentLength = 300_000;
            return context.Response.Body.WriteAsync(new byte[300_000]).AsTask();
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request(1));
        var held = new List<byte[]>();
        while (session.Channel.Unreturned < new LinkOptions().ChannelCredit)
            held.Add((await session.Channel.NextAsync())!);
        Assert.Equal(1, session.Books.Retained);

        foreach (var records in held)
            session.Channel.Return(records.Length);
        for (var got = session.Books.DeliveredBytes; got < 300_000 && session.Books.Retained > 0; got = session.Books.DeliveredBytes)
            session.Channel.Return((await session.Channel.NextAsync())!.Length);
        await session.Books.CheckpointedAsync();

        Assert.Empty(session.Books.Faults);
    }

    private static string Request(int number) => $"GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static int Answers(string text) => text.Split("HTTP/1.1 200 OK").Length - 1 is var begun && (text.EndsWith("0\r\n\r\n", StringComparison.Ordinal) || text.EndsWith("hello", StringComparison.Ordinal)) ? begun : begun - 1;
}
