using CSsl.Database;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Hosting;
using CSsl.Hosting.Configuration;
using CSsl.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CSsl.EndToEnd.Tests.Hosting;

[Collection(Databases.Name)]
public sealed class ClusterKeyCheckTests(Postgres postgres)
{
    private const int Active = 3, Dead = 6;

    private static readonly DateTimeOffset Now = new(2031, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly string Own = ClusterKeyCheck.OrleansId("blue", Key(1)), OtherKey = ClusterKeyCheck.OrleansId("blue", Key(2));

    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Fact]
    public void Engine_id_tells_clusters_and_keys_apart_and_shows_no_key()
    {
        Assert.Matches("^blue#[0-9a-f]{12}$", Own);
        Assert.Equal(Own, ClusterKeyCheck.OrleansId("blue", Key(1)));
        Assert.Equal(3, new[] { Own, OtherKey, ClusterKeyCheck.OrleansId("green", Key(1)) }.Distinct().Count());
        Assert.DoesNotContain(Convert.ToHexStringLower(Key(1))[..12], Own, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Process_is_refused_while_a_silo_lives_under_another_key(DatabaseKind kind)
    {
        using TestDatabase database = await TestDatabase.CreateAsync(kind, postgres);
        await AddSiloAsync(database, OtherKey, Active, Now - TimeSpan.FromSeconds(3));

        var refused = await Assert.ThrowsAsync<ConfigurationException>(() => CheckAsync(database));
        Assert.Contains("Cluster:KeyFile", refused.Message, StringComparison.Ordinal);
        Assert.Contains("data-7", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silos_of_its_own_key_of_other_clusters_and_dead_ones_are_no_reason(DatabaseKind kind)
    {
        using TestDatabase database = await TestDatabase.CreateAsync(kind, postgres);
        await AddSiloAsync(database, Own, Active, Now);
        await AddSiloAsync(database, ClusterKeyCheck.OrleansId("blue-green", Key(2)), Active, Now);
        await AddSiloAsync(database, OtherKey, Dead, Now);
        await CheckAsync(database);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silo_that_died_unnoticed_is_no_reason(DatabaseKind kind)
    {
        using TestDatabase database = await TestDatabase.CreateAsync(kind, postgres);
        await AddSiloAsync(database, OtherKey, Active, Now - TimeSpan.FromSeconds(11));
        await CheckAsync(database);
    }

    private static byte[] Key(byte value) => [.. Enumerable.Repeat(value, 32)];

    private static Task CheckAsync(TestDatabase database)
        => new ClusterKeyCheck(database.Cluster, "blue", Own, new FakeTimeProvider(Now)).StartAsync(CancellationToken.None);

    private static async Task AddSiloAsync(TestDatabase database, string cluster, int status, DateTimeOffset aliveAt)
    {
        await database.Cluster.WriteAsync(database.Cluster.Queries[StoredQueries.InsertMembershipVersion].With("DeploymentId", cluster), static row => row.GetInt32(0));
        long version = Assert.Single(await database.Cluster.ReadAsync(
            new Query("SELECT Version FROM OrleansMembershipVersionTable WHERE DeploymentId = @Id").With("Id", cluster), static row => row.GetInt64(0)));
        await database.Cluster.WriteAsync(
            database.Cluster.Queries[StoredQueries.InsertMembership]
                .With("DeploymentId", cluster).With("Version", (int)version)
                .With("Address", "127.0.0.1").With("Port", 1).With("Generation", status).With("ProxyPort", 2)
                .With("SiloName", "data-7").With("HostName", "here").With("Status", status)
                .With("StartTime", aliveAt).With("IAmAliveTime", aliveAt),
            static row => row.GetInt32(0));
    }
}
