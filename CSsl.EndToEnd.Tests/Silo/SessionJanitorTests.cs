using CSsl.Database;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Storage;
using CSsl.Grains.Handshake;
using CSsl.Hosting.Configuration;
using CSsl.Silo.Lifecycle;
using CSsl.EndToEnd.Tests.Database;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace CSsl.EndToEnd.Tests.Silo;

[Collection(Databases.Name)]
public sealed class SessionJanitorTests(Postgres postgres)
{
    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Expired_sessions_go_and_everything_else_stays(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var storage = new GrainStorage(database.Cluster, "test");
        var (session, keys) = (new GrainId("session", new("00ff")), new GrainId("ticketkey", new("0")));
        await storage.WriteAsync(session, SessionGrain.StateName, [1], null);
        await storage.WriteAsync(keys, "ticket-keys", [2], null);
        await new GrainStorage(database.Cluster, "other").WriteAsync(session, SessionGrain.StateName, [3], null);
        var options = new ResumptionOptions();
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow + options.Lifetime);
        using var janitor = new SessionJanitor(
            Options.Create(new ClusterOptions { Id = "test", Database = database.Connection }), Options.Create(options), time, NullLogger<SessionJanitor>.Instance);

        Assert.Equal(0, await janitor.SweepAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await janitor.SweepAsync(CancellationToken.None));

        Assert.Null((await storage.ReadAsync(session, SessionGrain.StateName)).Etag);
        Assert.Equal([2], (await storage.ReadAsync(keys, "ticket-keys")).Payload);
        Assert.Equal([3], (await new GrainStorage(database.Cluster, "other").ReadAsync(session, SessionGrain.StateName)).Payload);
    }
}
