using CSsl.Database;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Lifecycle;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.EndToEnd.Tests.Silo;

[Collection(Databases.Name)]
public sealed class ResumptionJanitorTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expired_sessions_go_and_everything_else_stays(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test"))));
        await using InProcessTestCluster cluster = await StartAsync(database, sealer, "test"), other = await StartAsync(database, sealer, "other");
        var now = DateTimeOffset.UtcNow;
        var session = new StoredSession { Sealed = new byte[] { 1 }, ExpiresAt = now + TimeSpan.FromHours(1) };
        foreach (InProcessTestCluster each in (InProcessTestCluster[])[cluster, other])
            await each.Client.GetGrain<IResumptionGrain>("00ff").Store(session, CancellationToken.None);
        TicketKeyAnswer keys = await cluster.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None);
        await cluster.Client.GetGrain<IResumptionGrain>("0100").Store(session with { ExpiresAt = now + TimeSpan.FromHours(2) }, CancellationToken.None);
        var time = new FakeTimeProvider(now + TimeSpan.FromHours(1));
        using var janitor = new ResumptionJanitor(new ResumptionStorage(database.Cluster, "test"), time, NullLogger<ResumptionJanitor>.Instance);

        Assert.Equal(0, await janitor.SweepAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await janitor.SweepAsync(CancellationToken.None));

        Assert.Equal([1], (await cluster.Client.GetGrain<IResumptionGrain>("0100").Find(CancellationToken.None)).ToArray());
        Assert.True((await cluster.Client.GetGrain<IResumptionGrain>("00ff").Find(CancellationToken.None)).IsEmpty);
        Assert.Equal([1], (await other.Client.GetGrain<IResumptionGrain>("00ff").Find(CancellationToken.None)).ToArray());
        await using InProcessTestCluster later = await StartAsync(database, sealer, "test");
        Assert.Equal(keys.Ring.ToArray(), (await later.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None)).Ring.ToArray());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expired_sessions_go_a_thousand_at_a_time_until_none_is_left(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await database.Cluster.WriteAsync(
            new Query("""
                WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
                INSERT INTO tls_session (service_id, session_id, sealed, expires_at) SELECT 'test', 's' || n, @Sealed, n FROM numbers
                """).With("Sealed", [1]),
            static _ => 0);

        Assert.Equal(2400, await new ResumptionStorage(database.Cluster, "test").DeleteExpiredAsync(DateTimeOffset.FromUnixTimeMilliseconds(2401), CancellationToken.None));
    }

    private static Task<InProcessTestCluster> StartAsync(TestDatabase database, Sealer sealer, string serviceId) => GrainCluster.StartAsync(
        1,
        silo =>
        {
            silo.KeepIn(database.Cluster);
            silo.Services.AddSingleton(sealer);
            silo.Services.AddOptions<ResumptionOptions>();
        },
        serviceId);
}
