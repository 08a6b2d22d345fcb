using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>A session leaves its silo, and goes on at another that has the same keys.</summary>
public sealed class HibernationTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// <summary>Every kind of record protection.</summary>
    public static TheoryData<CipherSuite, bool> Suites => new()
    {
        { CipherSuite.Aes128GcmSha256, false },
        { CipherSuite.ChaCha20Poly1305Sha256, false },
        { CipherSuite.EcdheRsaAes128GcmSha256, false },
        { CipherSuite.EcdheRsaChaCha20Poly1305, false },
        { CipherSuite.EcdheRsaAes128CbcSha256, false },
        { CipherSuite.EcdheRsaAes128CbcSha256, true },
    };

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task An_idle_session_sleeps_and_wakes_up_at_another_silo(CipherSuite suite, bool encryptThenMac)
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var peer = await silo.StartPeerAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var session = DirectSession.Attach(silo, suite, encryptThenMac);
        for (var i = 1; i <= 4; i++)
        {
            await session.SendRequestAsync(Request);
            await session.ReceiveUntilAsync(text => Answers(text) == i);
            Assert.Equal(DetachReason.Idle, (await session.Channel.Detached).Reason);
            await session.GoOnAtAsync(i % 2 == 0 ? silo : peer, AttachCause.Wake);
        }

        Assert.Empty(session.Books.Faults);
        Assert.Equal(0, session.KeyUpdates);
    }

    [Fact]
    public async Task Keys_that_both_ends_have_changed_go_along()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var peer = await silo.StartPeerAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var session = DirectSession.Attach(silo);
        for (var i = 1; i <= 4; i++)
        {
            await session.SendRequestAsync(Request);
            await session.Channel.SendAsync(session.Client.SealKeyUpdate((byte)(i % 2)));
            await session.SendRequestAsync(Request);
            await session.ReceiveUntilAsync(text => Answers(text) == 2 * i);
            await session.Channel.Detached;
            await session.ReceiveToTheEndAsync();
            Assert.Equal((i + 1) / 2, session.KeyUpdates);
            await session.GoOnAtAsync(i % 2 == 0 ? silo : peer, AttachCause.Wake);
        }

        Assert.Equal(2, session.Books.Rekeys);
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task A_session_that_never_asked_for_anything_sleeps_too()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var session = DirectSession.Attach(silo);

        var detach = await session.Channel.Detached;

        Assert.Equal((0UL, 2UL, 0), (detach.ClientRecord, detach.ServerRecord, detach.Capsule.Length));
        Assert.Empty(session.Books.Faults);
    }

    [Fact]
    public async Task Nothing_of_a_sleeping_session_stays_at_the_silo()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=5s");
        using var connections = new KestrelConnections(silo);
        var grains = silo.Application.Services.GetRequiredService<IGrainFactory>();
        var sessions = Enumerable.Range(0, 20).Select(_ => DirectSession.Attach(silo)).ToList();
        foreach (var session in sessions)
            await session.SendRequestAsync(Request);
        await Eventually.TrueAsync(async () => await grains.GetGrain<ISessionGrain>(sessions[0].SessionId).Find(default) is not null, "the session is known to the cluster");

        foreach (var session in sessions)
            await session.Channel.Detached;

        await Eventually.TrueAsync(() => silo.Sessions.Count == 0, "the sessions are gone");
        Assert.Equal(0, silo.Gateway.Link.ChannelCount);
        await Eventually.TrueAsync(async () => await grains.GetGrain<ISessionGrain>(sessions[0].SessionId).Find(default) is null, "the session is not known any more");
        Assert.Equal(20, connections.Opened);
        await Eventually.TrueAsync(() => connections.Active == 0, "Kestrel has no connection");
        foreach (var session in sessions)
            await session.DisposeAsync();
    }

    [Fact]
    public async Task A_request_under_way_keeps_its_session_awake()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=100ms");
        var (reached, _) = silo.HoldRequests();
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await reached;

        await using var other = DirectSession.Attach(silo);
        await other.Channel.Detached;

        Assert.False(session.Channel.Closed.IsCompleted);
        await Eventually.TrueAsync(() => silo.Sessions.Count == 1, "the other one is gone");
    }

    [Fact]
    public async Task A_silo_may_be_told_not_to_let_sessions_sleep()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=0s");
        await using var peer = await silo.StartPeerAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var session = DirectSession.Attach(silo);
        await using var other = DirectSession.Attach(peer);
        await other.Channel.Detached;

        await session.SendRequestAsync(Request);
        await session.ReceiveUntilAsync(static text => Answers(text) == 1);
    }

    [Fact]
    public async Task A_sleeping_session_is_finished_with_close_notify()
    {
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=100ms");
        await using var session = DirectSession.Attach(silo);
        await session.Channel.Detached;

        await session.GoOnAtAsync(silo, AttachCause.Wake);
        session.Channel.SendFinish();

        Assert.Equal(CloseReason.Done, await session.ReceiveToTheEndAsync());
        Assert.Equal(AlertDescription.CloseNotify, session.Alert);
    }

    [Fact]
    public async Task A_request_under_way_is_answered_before_the_session_is_finished()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        silo.Origin.Handler = async context =>
        {
            reached.SetResult();
            await go.Task;
            await context.Response.WriteAsync("hello");
        };
        await using var session = DirectSession.Attach(silo);
        await session.SendRequestAsync(Request);
        await reached.Task.WaitAsync(TestSilo.Patience);

        session.Channel.SendFinish();
        go.SetResult();

        Assert.Equal(CloseReason.Done, await session.ReceiveToTheEndAsync());
        Assert.Equal(1, Answers(session.Received));
        Assert.Equal(AlertDescription.CloseNotify, session.Alert);
    }

    private static int Answers(string text) => text.Split("hello").Length - 1;
}
