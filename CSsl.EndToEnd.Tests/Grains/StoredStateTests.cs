using CSsl.Database;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.TestingHost;
using Xunit;

namespace CSsl.EndToEnd.Tests.Grains;

/// <summary>What grains keep outlives their silo, and is there once.</summary>
[Collection(Databases.Name)]
public sealed class StoredStateTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task State_is_read_on_another_silo_when_the_first_was_killed(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        using var sealer = new Sealer(new SharedKeyRing(ClusterKeyRing.Parse(ClusterKeyRing.Generate("test"))));
        await using InProcessTestCluster cluster = await GrainCluster.StartAsync(2, silo => Configure(silo, database, sealer));
        var session = new StoredSession { Sealed = new byte[] { 1, 2, 3 }, ExpiresAt = DateTimeOffset.UtcNow.AddHours(1) };
        await cluster.Client.GetGrain<IResumptionGrain>("00ff").Store(session, CancellationToken.None);
        TicketKeyAnswer keys = await cluster.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None);

        // Whichever of them had the grain of the keys, each silo has been asked without the other.
        foreach (InProcessSiloHandle silo in cluster.Silos.ToArray())
        {
            await cluster.StartAdditionalSiloAsync();
            await cluster.KillSiloAsync(silo);
            Assert.Equal(keys.Ring.ToArray(), (await AskAsync(() => cluster.Client.GetGrain<ITicketKeyGrain>(0).GetKeys(CancellationToken.None))).Ring.ToArray());
            Assert.Equal([1, 2, 3], (await AskAsync(() => cluster.Client.GetGrain<IResumptionGrain>("00ff").Find(CancellationToken.None))).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Sessions_of_other_ids_are_their_own_and_a_removed_one_is_gone(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await using InProcessTestCluster cluster = await GrainCluster.StartAsync(1, silo => silo.KeepIn(database.Cluster));
        DateTimeOffset later = DateTimeOffset.UtcNow.AddHours(1);
        IResumptionGrain first = cluster.Client.GetGrain<IResumptionGrain>("01"), second = cluster.Client.GetGrain<IResumptionGrain>("02");
        await first.Store(new StoredSession { Sealed = new byte[] { 1 }, ExpiresAt = later }, CancellationToken.None);
        await second.Store(new StoredSession { Sealed = new byte[] { 2 }, ExpiresAt = later }, CancellationToken.None);

        await first.Remove(CancellationToken.None);

        Assert.True((await first.Find(CancellationToken.None)).IsEmpty);
        Assert.Equal([2], (await second.Find(CancellationToken.None)).ToArray());
        await first.Store(new StoredSession { Sealed = new byte[] { 3 }, ExpiresAt = later }, CancellationToken.None);
        Assert.Equal([3], (await first.Find(CancellationToken.None)).ToArray());
    }

    private static void Configure(ISiloBuilder silo, TestDatabase database, Sealer sealer)
    {
        silo.KeepIn(database.Cluster);
        silo.Services.AddSingleton(sealer);
        silo.Services.AddOptions<ResumptionOptions>();
    }

    /// <summary>A call that meets the silo that was killed fails; the next one finds another.</summary>
    private static async Task<T> AskAsync<T>(Func<ValueTask<T>> call)
    {
        T answer = default!;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    answer = await call();
                    return true;
                }
                catch (Exception e) when (e is global::Orleans.Runtime.OrleansException or TimeoutException)
                {
                    return false;
                }
            },
            "another silo answers");
        return answer;
    }
}
