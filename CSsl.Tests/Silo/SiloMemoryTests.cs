using CSsl.Tests.Link;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.Tests.Silo;

/// <summary>Looks at the memory of the whole process, so nothing else may run meanwhile.</summary>
[Collection(nameof(AllocationCollection))]
public sealed class SiloMemoryTests(TestCertificates certificates) : IClassFixture<TestCertificates>
{
    [Fact]
    public async Task Idle_sessions_take_little_memory()
    {
        const int Rounds = 5;
        const int Count = 100;
        await using var silo = await TestSilo.StartAsync(certificates, "--Silo:HibernateAfter=0s");
        for (var i = 0; i < 20; i++)
            await ServeOnceAsync(silo);

        // What earlier tests left in pools may come and go meanwhile and make a round look better or worse than it is, but not most rounds.
        var sessions = new List<DirectSession>(Rounds * Count);
        var perSession = new long[Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            var before = Settled();
            for (var i = 0; i < Count; i++)
                sessions.Add(await ServeOnceAsync(silo));
            perSession[round] = (Settled() - before) / Count;
        }

        // 16 KiB for a session, and some for the test's own end of it.
        Assert.InRange(perSession.Order().ElementAt(Rounds / 2), 4 * 1024, 20 * 1024);
        Assert.Equal(20 + (Rounds * Count), silo.Sessions.Count);
        GC.KeepAlive(sessions);

        static long Settled()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            return GC.GetTotalMemory(forceFullCollection: false);
        }
    }

    private static async Task<DirectSession> ServeOnceAsync(TestSilo silo)
    {
        var session = DirectSession.Attach(silo);
        await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await session.ReadTextUntilAsync("0\r\n\r\n");
        return session;
    }
}
