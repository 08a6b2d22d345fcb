using CSsl.Link;
using CSsl.Tests.Support;
using CSsl.Tls;
using CSsl.Tls.Sessions;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>How old a capsule may be, and when it is sealed anew.</summary>
public sealed class CapsuleAgeTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    private const string Request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public async Task A_capsule_that_is_too_old_or_from_the_future_is_not_opened()
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        Assert.Equal(CloseReason.TooOld, await CloseOfAsync(Day + TimeSpan.FromMinutes(1)));
        Assert.Equal(CloseReason.TooOld, await CloseOfAsync(TimeSpan.FromMinutes(-6)));
        Assert.Equal(0, silo.Sessions.Count);

        // Silos whose clocks differ by less than the tolerance serve each other's sessions.
        await TakenAsync(Day - TimeSpan.FromMinutes(1));
        await TakenAsync(TimeSpan.FromMinutes(-4));

        async Task<CloseReason?> CloseOfAsync(TimeSpan age) => await silo.Gateway.Attach(DirectSession.NewAttach(silo, Guid.NewGuid(), age: age)).Closed;

        async Task TakenAsync(TimeSpan age)
        {
            await using var session = DirectSession.Attach(silo, age: age);
            await session.Channel.Attached;
        }
    }

    [Theory]
    [InlineData(CipherSuite.Aes128GcmSha256)]
    [InlineData(CipherSuite.EcdheRsaAes128GcmSha256)]
    public async Task A_session_that_is_awake_is_sealed_anew_before_its_capsule_is_too_old(CipherSuite suite)
    {
        await using var silo = await TestSilo.StartAsync(certificates);
        await using var young = DirectSession.Attach(silo, suite, age: (Day / 2) - TimeSpan.FromMinutes(1));
        await using var session = DirectSession.Attach(silo, suite, age: (Day / 2) + TimeSpan.FromMinutes(1));
        foreach (var asking in new[] { young, session })
        {
            await asking.SendRequestAsync(Request);
            await asking.ReceiveUntilAsync(static text => text.Contains("HTTP/1.1 200", StringComparison.Ordinal));
            await asking.Books.CheckpointedAsync();
        }

        Assert.True(young.Books.Checkpoints[^1].Capsule.IsEmpty);
        using var sealer = silo.NewSealer();
        using var opened = sealer.Open(session.Books.Checkpoints.First(static checkpoint => !checkpoint.Capsule.IsEmpty).Capsule.Span, session.SessionId);
        Assert.InRange(opened.SealedAt, DateTimeOffset.UtcNow - TimeSpan.FromMinutes(1), DateTimeOffset.UtcNow);

        // Once, and it is as good as the one before.
        await session.SendRequestAsync(Request);
        await session.Books.CheckpointedAsync();
        Assert.Single(session.Books.Checkpoints, static checkpoint => !checkpoint.Capsule.IsEmpty);
        await session.GoOnAtAsync(silo, AttachCause.Wake);
        await session.SendRequestAsync(Request);
        await session.ReceiveUntilAsync(static text => text.Split("HTTP/1.1 200").Length == 4);
        Assert.Empty(session.Books.Faults);
    }
}
