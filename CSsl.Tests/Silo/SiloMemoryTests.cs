using CSsl.Tests.Grains.Link;
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
        const int Count = 200;
        await using var silo = await TestSilo.StartAsync(certificates);
        for (var i = 0; i < 20; i++)
            await ServeOnceAsync(silo);

        var before = Settled();
        var sessions = new List<DirectSession>(Count);
        for (var i = 0; i < Count; i++)
            sessions.Add(await ServeOnceAsync(silo));
        var perSession = (Settled() - before) / Count;

        // The test's own end of each is in it too.
        Assert.InRange(perSession, 1, 16 * 1024);
        Assert.Equal(Count + 20, silo.Sessions.Count);
        GC.KeepAlive(sessions);

        static long Settled()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    private static async Task<DirectSession> ServeOnceAsync(TestSilo silo)
    {
        var session = await DirectSession.AttachAsync(silo);
        await session.SendRequestAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        await session.ReadTextUntilAsync("0\r\n\r\n");
        return session;
    }
}
