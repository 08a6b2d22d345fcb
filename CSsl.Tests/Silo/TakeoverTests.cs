using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CSsl.Link;
using CSsl.Silo.Transport;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using CSsl.Tls;
using CSsl.Tls.Records;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A silo is lost in the middle of an exchange, and another one goes on. The gateway is played by <see cref="GatewayBooks"/>, the client by the test.</summary>
public sealed class TakeoverTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int BodyLength = 200_000;

    private static readonly byte[] Body = TestSessions.Bytes(BodyLength, 3);

    [Theory]
    [MemberData(nameof(HibernationTests.Suites), MemberType = typeof(HibernationTests))]
    public async Task A_session_at_rest_goes_on_as_if_nothing_had_happened(CipherSuite suite, bool encryptThenMac)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        await using var session = DirectSession.Attach(silo, suite, encryptThenMac);
        for (var i = 1; i <= 3; i++)
        {
            await session.SendRequestAsync(Request("GET", "/"));
            await session.ReceiveUntilAsync(text => text.Split("0\r\n\r\n").Length - 1 == i);
            await session.Books.CheckpointedAsync();
            await session.GoOnAtAsync(i % 2 == 0 ? silo : peer, AttachCause.Takeover);
        }

        await session.SendRequestAsync(Request("GET", "/"));
        await session.ReceiveUntilAsync(static text => text.Split("0\r\n\r\n").Length - 1 == 4);
        Assert.Equal(CipherSuiteInfo.Get(suite).Version == TlsVersion.Tls13 ? 3 : 0, session.KeyUpdates);
        Assert.Empty(session.Books.Faults);
    }

    [Theory]
    [InlineData("GET", true)]
    [InlineData("HEAD", true)]
    [InlineData("OPTIONS", true)]
    [InlineData("PUT", true)]
    [InlineData("DELETE", true)]
    [InlineData("POST", false)]
    [InlineData("PATCH", false)]
    public async Task A_request_without_an_answer_is_served_again_if_it_may_be_done_twice(string method, bool isServedAgain)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var (reached, _) = silo.HoldRequests();
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request(method, "/", method is "PUT" or "POST" or "PATCH" ? "body" : null));
        await reached;

        var asked = 0;
        silo.Origin.Handler = async context =>
        {
            Interlocked.Increment(ref asked);
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.ContentLength = 5;
            if (context.Request.Method != "HEAD")
                await context.Response.WriteAsync("hello");
        };
        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        var answer = await session.ReceiveUntilAsync(text => method == "HEAD" ? text.EndsWith("\r\n\r\n", StringComparison.Ordinal) : text.EndsWith("hello", StringComparison.Ordinal) || text.EndsWith('\n') && text.Contains("twice", StringComparison.Ordinal));

        Assert.StartsWith(isServedAgain ? "HTTP/1.1 200" : "HTTP/1.1 502", answer, StringComparison.Ordinal);
        Assert.Equal(isServedAgain ? 1 : 0, asked);
        await session.Books.CheckpointedAsync();

        // The connection lives.
        await session.SendRequestAsync(Request("GET", "/after"));
        await session.ReceiveUntilAsync(text => text.Length > answer.Length && text.EndsWith("hello", StringComparison.Ordinal));
        Assert.Empty(session.Books.Faults);
        Assert.Equal(new TakeoverCounts(1, isServedAgain ? 1 : 0, 0, 0, isServedAgain ? 0 : 1), peer.Application.Services.GetRequiredService<DataMetrics>().Takeovers);
    }

    [Fact]
    public async Task A_request_that_no_silo_had_whole_is_served_whatever_it_is()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.AnswerUploads("hello");
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync("POST / HTTP/1.1\r\nHost: localhost\r\n");

        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        await session.SendRequestAsync("Content-Length: 4\r\n\r\nbody");

        Assert.StartsWith("HTTP/1.1 200", await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_response_that_the_client_has_is_not_sent_again(string method)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var asked = 0;
        silo.Origin.Handler = async context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.ContentLength = 5;
            await context.Response.WriteAsync("hello");
        };
        await using var session = DirectSession.Attach(silo);

        // Its one frame of records is delivered, its checkpoint is not.
        session.Books.FramesUntilLoss = 1;
        await session.SendRequestAsync(Request(method, "/", method == "POST" ? "body" : null));
        var answer = await session.ReceiveUntilAsync(static text => text.EndsWith("hello", StringComparison.Ordinal));
        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        await session.Books.CheckpointedAsync();
        await session.SendRequestAsync(Request("GET", "/"));

        Assert.Equal(answer.Length, (await session.ReceiveUntilAsync(text => text.Length > answer.Length && text.EndsWith("hello", StringComparison.Ordinal))).IndexOf("HTTP/1.1", 1, StringComparison.Ordinal));
        Assert.Equal(2, asked);
        Assert.Empty(session.Books.Faults);
        Assert.Equal(new TakeoverCounts(1, 0, 0, 1, 0), peer.Application.Services.GetRequiredService<DataMetrics>().Takeovers);
    }

    /// <summary>A checkpoint before them would forget what the client has of their answers: the next silo would answer them again.</summary>
    [Fact]
    public async Task A_session_leaves_only_behind_the_records_that_come_again()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var asked = 0;
        silo.Origin.Handler = async context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.ContentLength = 5;
            await context.Response.WriteAsync("hello");
        };
        await using var session = DirectSession.Attach(silo, CipherSuite.EcdheRsaAes128GcmSha256);
        session.Books.FramesUntilLoss = 1;
        await session.SendRequestAsync(Request("GET", "/"));
        var answer = await session.ReceiveUntilAsync(static text => text.EndsWith("hello", StringComparison.Ordinal));

        // The silo is to let the session go when it has the attach, and the records are still on their way.
        session.Books.Lose();
        session.Channel.Drop();
        var (attach, records) = session.Books.Next(AttachCause.Takeover);
        var channel = peer.Gateway.Attach(attach, session.Books);
        await channel.Attached;
        Assert.True(peer.Sessions.TryGet(session.SessionId, out var served));
        await Eventually.TrueAsync(() => channel.IsDetached || ((TlsConnection)served).IsInputAwaited, "the application waits for the request");
        served.Drain();
        await channel.ReplayAsync(records);

        await channel.Detached;
        Assert.Equal((0, 0UL), (session.Books.Retained, session.Books.DeliveredBytes));
        await session.GoOnAtAsync(silo, AttachCause.Takeover);
        await session.SendRequestAsync(Request("GET", "/"));
        await session.ReceiveUntilAsync(text => text.Length > answer.Length && text.EndsWith("hello", StringComparison.Ordinal));
        Assert.Equal(2, asked);
        Assert.Empty(session.Books.Faults);
    }

    /// <summary>Whatever part the client has: what it gets in all is the response, to the byte; also over several losses in a row.</summary>
    [Theory]
    [InlineData("ETag")]
    [InlineData("Last-Modified")]
    public async Task A_download_goes_on_at_the_byte(string validator)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = context => ServeAsync(context, validator);
        var cuts = Gen.Choose(0, 40).ListOf(3).ToArbitrary();
        var ranges = Gen.Elements<(int, int)?>(null, null, (0, 99_999), (70_001, BodyLength - 1), (5, 150_000)).ToArbitrary();
        Prop.ForAll(cuts, ranges, (losses, range) => DownloadAsync(silo, peer, [.. losses], range).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public async Task Pipelined_requests_are_each_answered_once()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = static context => ServeAsync(context, "ETag");
        Prop.ForAll(Gen.Choose(1, 60).ToArbitrary(), cut => PipelineAsync(silo, peer, cut).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(20));
    }

    /// <summary>Where the rest can't be had, the connection is reset: the client must not take a part for the whole.</summary>
    [Theory]
    [InlineData("no validator")]
    [InlineData("weak ETag")]
    [InlineData("fresh Last-Modified")]
    [InlineData("chunked")]
    [InlineData("no ranges")]
    [InlineData("changed ETag")]
    [InlineData("another length")]
    [InlineData("another range")]
    [InlineData("gone")]
    [InlineData("dead")]
    [InlineData("POST")]
    public async Task A_response_that_can_not_go_on_is_a_reset(string trouble)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = context => TroubleAsync(context, trouble, isSecond: false);
        await using var session = DirectSession.Attach(silo);
        session.Books.FramesUntilLoss = 3;
        await session.SendRequestAsync(trouble == "POST" ? Request("POST", "/", "body") : Request("GET", "/"));
        await Eventually.TrueAsync(() => session.Books.FramesUntilLoss == 0, "the silo is lost");
        silo.Origin.Handler = context => TroubleAsync(context, trouble, isSecond: true);

        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        var before = session.Received.Length;

        Assert.Equal(CloseReason.Aborted, await session.ReceiveToTheEndAsync());
        Assert.Null(session.Alert);
        Assert.InRange(before, 1, BodyLength);
        Assert.Equal(before, session.Received.Length);
    }

    [Theory]
    [InlineData(0, "HTTP/1.1 502")]
    [InlineData(2, null)]
    public async Task Records_that_are_lost_end_the_connection_in_a_way_that_the_client_can_tell(int frames, string? answer)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Origin.Handler = async context =>
        {
            reached.TrySetResult();
            await ServeAsync(context, "ETag");
        };
        await using var session = DirectSession.Attach(silo);
        session.Books.FramesUntilLoss = frames;
        await session.SendRequestAsync(Request("GET", "/"));
        await reached.Task.WaitAsync(TestSilo.Patience);
        await Eventually.TrueAsync(() => session.Books.FramesUntilLoss == 0, "the silo is lost");

        await session.GoOnAtAsync(peer, AttachCause.Takeover, isReplayable: false);
        var reason = await session.ReceiveToTheEndAsync();

        Assert.Equal(answer is null ? CloseReason.Aborted : CloseReason.Done, reason);
        Assert.Equal(answer is null ? null : AlertDescription.CloseNotify, session.Alert);
        if (answer is not null)
            Assert.StartsWith(answer, session.Received, StringComparison.Ordinal);
        Assert.Empty(session.Books.Faults);
    }

    /// <summary>Half a request comes with the one before it, so that there is no checkpoint behind the first response, whose length nobody knew before its end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_is_told_from_the_rest_of_a_response_of_unknown_length(bool isReplayable)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.AnswerUploads("first");
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request("GET", "/") + "PUT / HTTP/1.1\r\n");
        var first = await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        var (reached, _) = silo.HoldRequests();
        await session.SendRequestAsync("Host: localhost\r\nContent-Length: 4\r\n\r\nbody");
        await reached;
        await Eventually.TrueAsync(() => session.Books.Notes == 1, "the gateway knows where the response ended");

        silo.AnswerUploads("second");
        await session.GoOnAtAsync(peer, AttachCause.Takeover, isReplayable);
        var second = (await session.ReceiveUntilAsync(static text => text.Contains("second", StringComparison.Ordinal) || text.Contains("too long", StringComparison.Ordinal)))[first.Length..];

        Assert.StartsWith(isReplayable ? "HTTP/1.1 200" : "HTTP/1.1 502", second, StringComparison.Ordinal);
        if (!isReplayable)
            Assert.Equal(CloseReason.Done, await session.ReceiveToTheEndAsync());
        Assert.Empty(session.Books.Faults);
    }

    /// <summary>The client's KeyUpdate was among what is lost: nobody can open what it sends on, and that is not its fault.</summary>
    [Fact]
    public async Task Records_that_are_lost_with_a_key_end_the_connection_in_order()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var (reached, _) = silo.HoldRequests();
        await using var session = DirectSession.Attach(silo);
        await session.Channel.SendAsync(session.Client.SealKeyUpdate(0));
        await session.SendRequestAsync("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
        await reached;
        session.Books.Lose();
        var (attach, _) = session.Books.Next(AttachCause.Takeover, isReplayable: false);

        // The upload goes on right behind the attach.
        var channel = new GatewayChannel(session.Books);
        peer.Gateway.Link.Open(channel, FrameKind.Attach, attach.Encode(), hurried: false);
        await channel.SendAsync(session.Client.SealData(16_000));
        var answer = new List<(ContentType Type, byte[] Content)>();
        while (await channel.NextAsync() is { } records)
        {
            channel.Return(records.Length);
            foreach (var record in GatewayBooks.Split(records))
            {
                answer.Add(session.Client.Open(record));
                if (answer[^1].Type == ContentType.Handshake)
                    session.Client.Reader.UpdateKey();
            }
        }

        Assert.Equal([ContentType.Handshake, ContentType.ApplicationData, ContentType.Alert], answer.Select(static record => record.Type));
        Assert.StartsWith("HTTP/1.1 502", Encoding.ASCII.GetString(answer[1].Content), StringComparison.Ordinal);
        Assert.Equal((byte)AlertDescription.CloseNotify, answer[2].Content[1]);
        Assert.Equal(CloseReason.Done, await channel.Closed);
    }

    [Fact]
    public async Task An_upload_that_was_told_to_continue_is_done_again()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.AnswerUploads("stored");
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        await session.ReceiveUntilAsync(static text => text == "HTTP/1.1 100 Continue\r\n\r\n");

        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        await session.SendRequestAsync("body");

        Assert.Contains("stored", await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        await session.Books.CheckpointedAsync();
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task An_upgraded_connection_ends_with_close_notify()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = static async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        foreach (var isReplayable in (bool[])[true, false])
        {
            await using var session = DirectSession.Attach(silo);
            await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
            var answer = await session.ReceiveUntilAsync(static text => text.EndsWith("\r\n\r\n", StringComparison.Ordinal));
            Assert.StartsWith("HTTP/1.1 101", answer, StringComparison.Ordinal);

            await session.GoOnAtAsync(peer, AttachCause.Takeover, isReplayable);

            Assert.Equal(CloseReason.Done, await session.ReceiveToTheEndAsync());
            Assert.Equal(AlertDescription.CloseNotify, session.Alert);
            Assert.Equal(answer, session.Received);
        }
    }

    [Fact]
    public async Task No_explicit_nonce_is_used_twice_also_not_by_silos_that_were_lost()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = static context => ServeAsync(context, "ETag");
        await using var session = DirectSession.Attach(silo, CipherSuite.EcdheRsaAes128GcmSha256);
        var nonces = new ConcurrentDictionary<ulong, bool>();
        session.Channel.Seen = Note;
        for (var loss = 1; loss <= 5; loss++)
        {
            session.Books.FramesUntilLoss = loss;
            await session.SendRequestAsync(Request("GET", "/"));
            await Eventually.TrueAsync(() => session.Books.FramesUntilLoss == 0, "the silo is lost");
            await session.GoOnAtAsync(loss % 2 == 0 ? silo : peer, AttachCause.Takeover);
            session.Channel.Seen = Note;
            await session.ReceiveUntilAsync(text => text.Length >= loss * BodyLength && text.Split("HTTP/1.1 200").Length - 1 == loss && text.Length - text.LastIndexOf("\r\n\r\n", StringComparison.Ordinal) > 0 && IsWhole(text, loss));
            await session.Books.CheckpointedAsync();
        }

        Assert.True(nonces.Count > 60, $"only {nonces.Count} records");

        void Note(byte[] record) => Assert.True(nonces.TryAdd(BinaryPrimitives.ReadUInt64BigEndian(record.AsSpan(5)), true), "a nonce came twice");
    }

    private static bool IsWhole(string text, int responses)
    {
        var at = 0;
        for (var i = 0; i < responses; i++)
        {
            var head = at > text.Length ? -1 : text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (head < 0)
                return false;
            at = head + 4 + BodyLength;
        }

        return text.Length >= at;
    }

    private static async Task DownloadAsync(TestSilo silo, TestSilo peer, int[] losses, (int First, int Last)? range)
    {
        await using var session = DirectSession.Attach(silo);
        session.Books.FramesUntilLoss = losses[0];
        await session.SendRequestAsync(Request("GET", "/", extra: range is { } part ? $"Range: bytes={part.First}-{part.Last}\r\n" : ""));
        var (first, last) = range ?? (0, BodyLength - 1);
        var at = peer;
        foreach (var loss in losses.Skip(1).Append(int.MaxValue))
        {
            await Eventually.TrueAsync(() => session.Books.FramesUntilLoss == 0 || session.Books.Retained == 0, "the silo is lost, or all is delivered");
            await session.GoOnAtAsync(at, AttachCause.Takeover);
            session.Books.FramesUntilLoss = loss;
            at = at == peer ? silo : peer;
        }

        await session.ReceiveUntilAsync(text => text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end && text.Length >= end + 4 + last - first + 1);
        await session.Books.CheckpointedAsync();
        var body = session.Received[(session.Received.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.StartsWith(range is null ? "HTTP/1.1 200" : "HTTP/1.1 206", session.Received, StringComparison.Ordinal);
        Assert.True(body == Encoding.Latin1.GetString(Body, first, last - first + 1), $"the body differs after losses at {string.Join(", ", losses)}");
        Assert.Empty(session.Books.Faults);
    }

    private static async Task PipelineAsync(TestSilo silo, TestSilo peer, int cut)
    {
        await using var session = DirectSession.Attach(silo);
        session.Channel.ReturnsAtOnce = true;
        session.Books.FramesUntilLoss = cut;
        await session.Channel.SendAsync([.. Enumerable.Range(1, 3).SelectMany(i => session.Client.Seal(ContentType.ApplicationData, Encoding.ASCII.GetBytes(Request("GET", $"/{i}"))))]);
        await Eventually.TrueAsync(() => session.Books.FramesUntilLoss == 0 || session.Books.Retained == 0, "the silo is lost, or all is delivered");
        await session.GoOnAtAsync(peer, AttachCause.Takeover);

        await session.ReceiveUntilAsync(static text => IsWhole(text, 3));
        await session.Books.CheckpointedAsync();
        var at = 0;
        for (var i = 1; i <= 3; i++)
        {
            var end = session.Received.IndexOf("\r\n\r\n", at, StringComparison.Ordinal) + 4;
            Assert.Contains($"X-Path: /{i}", session.Received[at..end], StringComparison.Ordinal);
            Assert.True(session.Received.AsSpan(end, BodyLength).SequenceEqual(Encoding.Latin1.GetString(Body)), $"body {i} differs after a loss at {cut}");
            at = end + BodyLength;
        }

        Assert.Equal(at, session.Received.Length);
        Assert.Empty(session.Books.Faults);
    }

    private static string Request(string method, string path, string? body = null, string extra = "")
        => $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}{(body is null ? "" : $"Content-Length: {body.Length}\r\n")}\r\n{body}";

    /// <summary>An origin of one file.</summary>
    private static async Task ServeAsync(HttpContext context, string validator)
    {
        var (request, response) = (context.Request, context.Response);
        var value = validator == "ETag" ? "\"v1\"" : "Thu, 19 Nov 2026 10:00:00 GMT";
        response.Headers[validator] = value;
        response.Headers.Date = "Sun, 22 Nov 2026 10:00:00 GMT";
        response.Headers["X-Path"] = request.Path.Value;
        var (first, last) = (0, BodyLength - 1);
        if (request.Headers.Range.ToString() is { Length: > 0 } range && request.Headers.IfRange.ToString() is { } condition && (condition.Length == 0 || condition == value))
        {
            var parts = range["bytes=".Length..].Split('-');
            (first, last) = (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {first}-{last}/{BodyLength}";
        }

        response.ContentLength = last - first + 1;
        await WriteAsync(response, Body.AsMemory(first, last - first + 1));
    }

    // In pieces, so that there are many frames to lose a silo between.
    private static async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        for (var at = 0; at < body.Length; at += 9_000)
            await response.Body.WriteAsync(body.Slice(at, Math.Min(9_000, body.Length - at)));
    }

    private static async Task TroubleAsync(HttpContext context, string trouble, bool isSecond)
    {
        var response = context.Response;
        response.Headers.Date = "Sun, 22 Nov 2026 10:00:00 GMT";
        if (trouble is not ("no validator" or "fresh Last-Modified"))
            response.Headers.ETag = trouble == "weak ETag" ? "W/\"v1\"" : trouble == "changed ETag" && isSecond ? "\"v2\"" : "\"v1\"";
        if (trouble == "fresh Last-Modified")
            response.Headers.LastModified = "Sun, 22 Nov 2026 09:59:59 GMT";
        var body = Body.AsMemory();
        if (isSecond && trouble == "dead")
        {
            context.Abort();
            return;
        }

        if (isSecond && trouble == "gone")
        {
            response.StatusCode = 404;
            await response.WriteAsync("no such thing");
            return;
        }

        if (isSecond && trouble is "another length" or "another range" && context.Request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            var first = int.Parse(range["bytes=".Length..].Split('-')[0], CultureInfo.InvariantCulture) + (trouble == "another range" ? 1 : 0);
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {first}-{BodyLength - 1}/{BodyLength + (trouble == "another length" ? 1 : 0)}";
            body = body[first..];
        }

        if (trouble != "chunked")
            response.ContentLength = body.Length;
        await WriteAsync(response, body);
    }
}
