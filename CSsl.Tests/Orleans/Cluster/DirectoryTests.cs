using CSsl.EmbeddedCluster.Cluster;
using CSsl.EmbeddedCluster.Wire;
using CSsl.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;
using Xunit;

namespace CSsl.Tests.Orleans.Cluster;

public sealed class DirectoryTests
{
    [Fact]
    public async Task Grain_that_is_active_twice_is_given_up_by_one_silo_when_its_directory_entry_moves()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var keys = Enumerable.Range(0, 60).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var key in keys)
            await s1.Grains().GetGrain<ILocalGrain>(key).Where();

        // The owner forgets where the grains are, so that the other silo activates them as well.
        using var authenticator = new ClusterAuthenticator(cluster.Key, cluster.ClusterId);
        using var membership = new Membership((await cluster.OpenTableAsync()));
        using var transport = new SiloTransport(authenticator, membership, 1 << 20, TimeProvider.System, NullLogger.Instance);
        var doubles = new List<string>();
        foreach (var entry in (await SendAsync<RecoverAnswer>(s1.Address(), Operations.Recover, new RecoverMessage { Owner = s2.Address().ToParsableString() })).Entries)
        {
            await SendAsync<Empty>(s2.Address(), Operations.Unregister, entry);
            Assert.Equal("s2", await s2.Grains().GetGrain<ILocalGrain>(Guid.ParseExact(entry.Key, "N")).Where());
            doubles.Add(entry.Key);
        }

        var s3 = await cluster.StartSiloAsync("s3");

        var view = await (await cluster.OpenTableAsync()).ReadAsync();
        var moved = doubles.Where(k => s3.Address().Equals(view.OwnerOf(new(k)))).ToArray();
        Assert.NotEmpty(moved);
        await Eventually.TrueAsync(() => cluster.Events.All.Count == moved.Length, "one silo each to give the grain up");
        Assert.All(moved, key => Assert.Single(cluster.Events.All, e => e.StartsWith($"deactivated {key}", StringComparison.Ordinal) && e.EndsWith("DuplicateActivation", StringComparison.Ordinal)));
        foreach (var key in moved)
        {
            var place = await s3.Grains().GetGrain<ILocalGrain>(Guid.ParseExact(key, "N")).Where();
            Assert.Equal(place, await s1.Grains().GetGrain<ILocalGrain>(Guid.ParseExact(key, "N")).Where());
            Assert.Equal(place, await s2.Grains().GetGrain<ILocalGrain>(Guid.ParseExact(key, "N")).Where());
        }

        Task<T> SendAsync<T>(SiloAddress to, string path, object message) => transport.SendAsync<T>(to, path, message, TimeSpan.FromSeconds(10), default);
    }

    [Fact]
    public async Task Grain_is_found_when_the_owner_of_its_key_was_killed_and_it_was_not_there()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var s2 = await cluster.StartSiloAsync("s2");
        var s3 = await cluster.StartSiloAsync("s3");
        var view = await (await cluster.OpenTableAsync()).ReadAsync();
        var keys = Enumerable.Range(0, 1000).Select(_ => Guid.NewGuid()).Where(k => s2.Address().Equals(view.OwnerOf(new(k.ToString("N"))))).Take(20).ToArray();
        foreach (var key in keys)
            Assert.Equal("s1", await s1.Grains().GetGrain<ILocalGrain>(key).Where());

        await s2.KillAsync();
        await Eventually.TrueAsync(async () => !(await (await cluster.OpenTableAsync()).ReadAsync()).IsAlive(s2.Address()), "s2 to be out");

        foreach (var key in keys)
            Assert.Equal("s1", await s3.Grains().GetGrain<ILocalGrain>(key).Where());
        Assert.Empty(cluster.Events.All);
    }

    [Fact]
    public async Task Directory_forgets_a_grain_when_it_is_deactivated()
    {
        await using var cluster = new TestCluster();
        var s1 = await cluster.StartSiloAsync("s1");
        var key = s1.KeyOwnedBy(s1);
        await s1.Echo(key).Add(1);
        using var authenticator = new ClusterAuthenticator(cluster.Key, cluster.ClusterId);
        using var membership = new Membership(await cluster.OpenTableAsync());
        using var transport = new SiloTransport(authenticator, membership, 1 << 20, TimeProvider.System, NullLogger.Instance);
        Assert.Single(await ClaimsAsync());

        await s1.Echo(key).DeactivateSoon();

        await Eventually.TrueAsync(async () => (await ClaimsAsync()).Length == 0, "the claim to go");

        async Task<DirectoryEntry[]> ClaimsAsync()
            => (await transport.SendAsync<RecoverAnswer>(s1.Address(), Operations.Recover, new RecoverMessage { Owner = s1.Address().ToParsableString() }, TimeSpan.FromSeconds(10), default)).Entries;
    }
}
