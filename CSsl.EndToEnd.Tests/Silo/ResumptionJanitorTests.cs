using CSsl.Database;
using CSsl.Hosting.Configuration;
using CSsl.Grains.Handshake;
using CSsl.Silo.Lifecycle;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
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
        using var sealer = new SecretSealer(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test")));
        await using InProcessTestCluster cluster = await StartAsync(database, sealer, "test"), other = await StartAsync(database, sealer, "other");
        var session = new StoredSession { Sealed = new byte[] { 1 }, ExpiresAt = DateTimeOffset.MaxValue };
        foreach (InProcessTestCluster each in (InProcessTestCluster[])[cluster, other])
            await each.Client.GetGrain<IResumptionGrain>("00ff").Store(session, CancellationToken.None);
        TicketKeyAnswer keys = await cluster.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None);
        var options = new ResumptionOptions();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow + options.Lifetime);
        using var janitor = new ResumptionJanitor(
            Options.Create(new ClusterOptions { Id = "test", Database = database.Connection }), Options.Create(options), time, NullLogger<ResumptionJanitor>.Instance);

        Assert.Equal(0, await janitor.SweepAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await janitor.SweepAsync(CancellationToken.None));

        Assert.True((await cluster.Client.GetGrain<IResumptionGrain>("00ff").Find(CancellationToken.None)).IsEmpty);
        Assert.Equal([1], (await other.Client.GetGrain<IResumptionGrain>("00ff").Find(CancellationToken.None)).ToArray());
        await using InProcessTestCluster later = await StartAsync(database, sealer, "test");
        Assert.Equal(keys.Ring.ToArray(), (await later.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None)).Ring.ToArray());
    }

    private static Task<InProcessTestCluster> StartAsync(TestDatabase database, SecretSealer sealer, string serviceId) => GrainCluster.StartAsync(
        1,
        silo =>
        {
            silo.KeepIn(database.Cluster);
            silo.Services.AddSingleton(sealer);
            silo.Services.AddOptions<ResumptionOptions>();
        },
        serviceId);
}
