using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A silo that stops lets its sessions go, each as soon as it can.</summary>
public sealed class DrainTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Fact]
    public async Task Sessions_at_rest_leave_at_once_and_wake_up_elsewhere()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        await using var used = DirectSession.Attach(peer);
        await used.SendRequestAsync(Request);
        await used.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        await using var unused = DirectSession.Attach(peer);
        await unused.Channel.Attached;

        var stopping = peer.Application.StopAsync();

        foreach (var session in (DirectSession[])[used, unused])
        {
            Assert.Equal(DetachReason.Drain, (await session.Channel.Detached).Reason);
            await session.GoOnAtAsync(silo, AttachCause.Wake);
            var before = session.Received.Length;
            await session.SendRequestAsync(Request);
            await session.ReceiveUntilAsync(text => text.Length > before && text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
            Assert.Empty(session.Books.Faults);
        }

        await stopping.WaitAsync(TestSilo.Patience);
    }

    [Fact]
    public async Task A_busy_session_leaves_behind_its_answer_and_what_the_client_sent_meanwhile_moves()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates);
        var (reached, go) = silo.HoldAnswers("hello");
        await using var session = DirectSession.Attach(peer);
        await session.SendRequestAsync(Request);
        await reached;

        var stopping = peer.Application.StopAsync();
        await Eventually.TrueAsync(() => peer.Gateway.Link.PeerLeaving, "goodbye");
        Assert.False(stopping.IsCompleted);
        go.SetResult();
        Assert.Equal(DetachReason.Drain, (await session.Channel.Detached).Reason);

        // Too late for the silo that left; the gateway has it still.
        await session.SendRequestAsync(Request);
        await session.GoOnAtAsync(silo, AttachCause.Move);
        await session.ReceiveUntilAsync(static text => text.Split("hello").Length - 1 == 2 && text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
        Assert.Empty(session.Books.Faults);
        await stopping.WaitAsync(TestSilo.Patience);
    }

    /// <summary>The silo that a session leaves must not serve what the gateway gives to the next one. A matter of microseconds, that differs from machine to machine: who was first is late the next time, until each has overtaken the other often enough.</summary>
    [Fact]
    public async Task A_request_that_comes_while_its_session_leaves_is_served_once()
    {
        const int Meetings = 200, MostTries = 20_000, LeastStep = 4, MostStep = 1 << 14;
        await using var silo = await TestSilo.StartAsync(certificates);
        var requests = 0;
        silo.Origin.Handler = context =>
        {
            Interlocked.Increment(ref requests);
            return context.Response.WriteAsync("hello");
        };
        var sessions = silo.Application.Services.GetRequiredService<SessionTable>();
        var (tries, meetings, delay, step, wasServedHere) = (0, 0, 0, LeastStep, false);
        for (; meetings < Meetings; tries++)
        {
            Assert.True(tries < MostTries, $"in {tries} tries, request and drain met {meetings} times");
            await using var session = DirectSession.Attach(silo);
            await session.SendRequestAsync(Request);
            await session.ReceiveUntilAsync(static text => text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));
            Assert.True(sessions.TryGet(session.SessionId, out var served));

            using var together = new Barrier(2);
            var leaving = Task.Run(() =>
            {
                together.SignalAndWait();
                Thread.SpinWait(Math.Max(0, delay));
                served.Drain();
            });
            together.SignalAndWait();
            Thread.SpinWait(Math.Max(0, -delay));
            await session.SendRequestAsync(Request);
            await leaving;

            Assert.Equal(DetachReason.Drain, (await session.Channel.Detached).Reason);
            var isServedHere = session.Books.Retained == 0;
            await session.GoOnAtAsync(silo, AttachCause.Wake);
            await session.ReceiveUntilAsync(static text => text.Split("hello").Length - 1 == 2 && text.EndsWith("0\r\n\r\n", StringComparison.Ordinal));

            var hasTurned = tries > 0 && isServedHere != wasServedHere;
            meetings += hasTurned ? 1 : 0;
            step = hasTurned ? LeastStep : Math.Min(2 * step, MostStep);
            delay += isServedHere ? -step : step;
            wasServedHere = isServedHere;
        }

        Assert.Equal(2 * tries, requests);
    }

    [Fact]
    public async Task Http2_finishes_what_is_under_way_and_ends_in_order()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var (reached, go) = silo.HoldAnswers("hello");
        GatewayChannel? channel = null;
        using var client = silo.NewHttpClient(new Version(2, 0), attached: opened => channel = opened);
        var answer = client.GetStringAsync("/");
        await reached;

        var stopping = silo.Application.StopAsync();
        await Eventually.TrueAsync(() => silo.Gateway.Link.PeerLeaving, "goodbye");
        go.SetResult();

        Assert.Equal("hello", await answer);
        Assert.Equal(CloseReason.Done, await channel!.Closed);
        await stopping.WaitAsync(TestSilo.Patience);
    }

    [Fact]
    public async Task What_does_not_end_in_the_drain_time_loses_its_link_and_goes_on_elsewhere()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var peer = await silo.StartPeerAsync(certificates, "--Silo:DrainTime=300ms");
        var (reached, aborted) = silo.HoldRequests();
        await using var session = DirectSession.Attach(peer);
        await session.SendRequestAsync(Request);
        await reached;

        await peer.Application.StopAsync().WaitAsync(TestSilo.Patience);

        await aborted;
        Assert.Null(await session.Channel.Closed);
        Assert.False(session.Channel.IsDetached);
        silo.Origin.Handler = static context => context.Response.WriteAsync("hello");
        await session.GoOnAtAsync(silo, AttachCause.Takeover);
        await session.ReceiveUntilAsync(static text => text.EndsWith("hello\r\n0\r\n\r\n", StringComparison.Ordinal));
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task A_draining_silo_takes_no_session()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:DrainTime=20s");
        var (reached, _) = silo.HoldRequests();
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await reached;
        var stopping = silo.Application.StopAsync();
        await Eventually.TrueAsync(() => silo.Gateway.Link.PeerLeaving, "goodbye");

        Assert.Equal(CloseReason.Refused, await silo.Gateway.Attach(DirectSession.NewAttach(silo, Guid.NewGuid())).Closed);

        // The client gives up, and nothing is left.
        session.Channel.SendClose(CloseReason.ClientGone);
        await stopping.WaitAsync(TestSilo.Patience);
        Assert.Null(session.Alert);
    }
}
