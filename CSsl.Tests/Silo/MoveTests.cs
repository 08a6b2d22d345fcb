using System.Globalization;
using System.Text;
using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tests.Tls.Records;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A session is to go on at a silo of a name: the data silo's half.</summary>
public sealed class MoveTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const int BodyLength = 150_000;
    private const int FirstPart = 60_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static readonly byte[] Body = TestSessions.Bytes(BodyLength, 3);

    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_session_at_rest_leaves_for_the_silo_at_once()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Get);
        await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        await session.Books.CheckpointedAsync();
        Assert.Equal(SessionMove.AlreadyThere, Served(silo, session).Move("s1"));

        Assert.Equal(SessionMove.UnderWay, Served(silo, session).Move("s2"));

        var detach = await session.Channel.Detached;
        Assert.Equal((DetachReason.Move, "s2"), (detach.Reason, detach.Silo));
        await session.GoOnAtAsync(peer, AttachCause.Move);
        await session.SendRequestAsync(Get);
        await session.ReceiveUntilAsync(static text => text.Split("0\r\n\r\n").Length == 3);
        Assert.Empty(session.Books.Faults);
    }

    /// <summary>By order of its gateway, and twice: nothing that was sealed is lost, and nothing is sealed that would be.</summary>
    [Fact]
    public async Task A_download_goes_on_elsewhere_in_the_middle_and_back()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        silo.Origin.Handler = ServeAsync;
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Get);
        await session.ReceiveUntilAsync(static text => text.Length > FirstPart);

        session.Channel.SendMove("s2");
        Assert.Equal("s2", (await session.Channel.HandedOver).Silo);
        var unseen = session.Channel;
        unseen.SendClose(CloseReason.HandedOver);
        await session.GoOnAtAsync(peer, AttachCause.Takeover);
        await session.ReceiveUntilAsync(static text => text.Length > FirstPart + 10_000);
        await Eventually.TrueAsync(() => Served(peer, session).Move("s1") == SessionMove.UnderWay, "the rest is under way");
        await session.Channel.HandedOver;
        session.Channel.SendClose(CloseReason.HandedOver);
        await session.GoOnAtAsync(silo, AttachCause.Takeover);
        _go.SetResult();

        AssertWhole(await session.ReceiveUntilAsync(IsWhole));
        await session.Books.CheckpointedAsync();
        Assert.Empty(session.Books.Faults);
        await Eventually.TrueAsync(() => peer.Sessions.Count == 0, "the other silo has nothing left of it");
    }

    [Fact]
    public async Task A_download_that_can_not_be_handed_over_goes_on_and_its_session_leaves_behind_it()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = ServeAsync;
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Get);
        await session.ReceiveUntilAsync(static text => text.Length > FirstPart);

        Assert.Equal(SessionMove.UnderWay, Served(silo, session).Move("s2"));
        await session.Channel.HandedOver;
        session.Channel.SendGoOn();
        _go.SetResult();

        AssertWhole(await session.ReceiveUntilAsync(IsWhole));
        Assert.Equal(DetachReason.Move, (await session.Channel.Detached).Reason);
        Assert.Empty(session.Books.Faults);
    }

    /// <summary>It must not be done twice, and nobody could tell whether it was.</summary>
    [Fact]
    public async Task A_session_with_a_request_behind_the_download_is_not_handed_over()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var posts = 0;
        silo.Origin.Handler = context =>
        {
            if (context.Request.Method != "POST")
                return ServeAsync(context);
            Interlocked.Increment(ref posts);
            return context.Response.WriteAsync("posted");
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Get);
        await session.ReceiveUntilAsync(static text => text.Length > FirstPart);
        await session.SendRequestAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        await Eventually.TrueAsync(() => session.Channel.Unreturned == 0, "the request is there");
        await using var other = DirectSession.Attach(silo);
        await other.Channel.Attached; // behind it on the link

        Assert.Equal(SessionMove.AtCheckpoint, Served(silo, session).Move("s2"));
        _go.SetResult();

        var text = await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        Assert.Equal(DetachReason.Move, (await session.Channel.Detached).Reason);
        Assert.Equal((1, false), (posts, session.Channel.IsHandedOver));
        Assert.Contains("posted", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no validator")]
    [InlineData("POST")]
    public async Task A_response_that_could_not_be_continued_is_not_handed_over(string trouble)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        silo.Origin.Handler = async context =>
        {
            if (trouble == "POST")
                context.Response.Headers.ETag = "\"v1\"";
            context.Response.ContentLength = BodyLength;
            await context.Response.Body.WriteAsync(Body.AsMemory(0, FirstPart + 1));
            await _go.Task;
            await context.Response.Body.WriteAsync(Body.AsMemory(FirstPart + 1));
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(trouble == "POST" ? "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" : Get);
        await session.ReceiveUntilAsync(static text => text.Length > FirstPart);

        Assert.Equal(SessionMove.AtCheckpoint, Served(silo, session).Move("s2"));
        _go.SetResult();
        AssertWhole(await session.ReceiveUntilAsync(IsWhole));
        Assert.Equal(DetachReason.Move, (await session.Channel.Detached).Reason);
        Assert.False(session.Channel.IsHandedOver);
    }

    [Fact]
    public async Task Http2_stays_where_it_is()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        using var client = silo.NewHttpClient(new Version(2, 0));
        Assert.Equal("hello", await client.GetStringAsync("/"));

        Assert.Equal(SessionMove.Http2, Assert.Single(silo.Sessions.All).Move("s2"));
        Assert.Equal("hello", await client.GetStringAsync("/"));
    }

    private static IServedSession Served(TestSilo silo, DirectSession session)
    {
        Assert.True(silo.Sessions.TryGet(session.SessionId, out var served));
        return served;
    }

    /// <summary>A file, of which the end is held back, whoever asks for a part of it.</summary>
    private async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = "\"v1\"";
        var first = 0;
        if (request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            first = int.Parse(range["bytes=".Length..].Split('-')[0], CultureInfo.InvariantCulture);
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {first}-{BodyLength - 1}/{BodyLength}";
        }

        response.ContentLength = BodyLength - first;
        var held = Math.Min(first + FirstPart + 1, BodyLength - 1);
        await response.Body.WriteAsync(Body.AsMemory(first, held - first));
        await _go.Task.WaitAsync(context.RequestAborted);
        await response.Body.WriteAsync(Body.AsMemory(held));
    }

    private static bool IsWhole(string text) => text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end && text.Length >= end + 4 + BodyLength;

    private static void AssertWhole(string text)
    {
        Assert.StartsWith("HTTP/1.1 200", text, StringComparison.Ordinal);
        Assert.True(text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..] == Encoding.Latin1.GetString(Body), "the body differs");
    }
}
