using System.Data;
using CSsl.Database;
using CSsl.Tests.Support;
using Xunit;

namespace CSsl.EndToEnd.Tests.Database;

/// <summary>The stored statements against what Orleans's ADO.NET providers give them and take from them (dotnet/orleans, src/AdoNet: DbStoredQueries,
/// RelationalOrleansQueries, AdoNetGrainStorage).</summary>
[Collection(Databases.Name)]
public sealed class StoredQueriesTests(Postgres postgres)
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static TheoryData<DatabaseKind> Kinds => Databases.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_statement_of_both_providers_is_there(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        string[] clustering = ["GatewaysQueryKey", "MembershipReadRowKey", "MembershipReadAllKey", "InsertMembershipVersionKey", "UpdateIAmAlivetimeKey", "InsertMembershipKey", "UpdateMembershipKey", "DeleteMembershipTableEntriesKey", "CleanupDefunctSiloEntriesKey"];
        string[] storage = ["WriteToStorageKey", "ReadFromStorageKey", "ClearStorageKey", "DeleteStorageKey"];
        var there = await database.Cluster.ReadAsync(new Query("SELECT QueryKey, QueryText FROM OrleansQuery"), static row => row.GetString(row.GetOrdinal("QueryKey")));
        Assert.Empty(clustering.Concat(storage).Except(there));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Version_row_is_inserted_once(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        Assert.True(await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion)));
        Assert.False(await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion)));

        // A version without a silo is one row.
        Assert.Equal([(0, null)], await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll)));
        Assert.Equal([(0, null)], await MembersAsync(database, Row(database, StoredQueries.MembershipReadRow, 1)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silo_is_inserted_under_the_right_version_only_and_never_twice(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion));

        Assert.False(await TruthAsync(database, Insert(database, 1, version: 5)));
        Assert.True(await TruthAsync(database, Insert(database, 1, version: 0)));
        Assert.False(await TruthAsync(database, Insert(database, 2, version: 0)));
        Assert.False(await TruthAsync(database, Insert(database, 1, version: 1)));
        Assert.Equal([(1, "silo1 1 3")], await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll)));
        Assert.True(await TruthAsync(database, Insert(database, 2, version: 1)));
        Assert.Equal([(2, "silo1 1 3"), (2, "silo2 2 3")], (await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll))).Order());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Silo_is_updated_under_the_right_version_only(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion));
        await TruthAsync(database, Insert(database, 1, version: 0));

        Assert.False(await TruthAsync(database, Update(database, 1, version: 0)));
        Assert.False(await TruthAsync(database, Update(database, 9, version: 1)));
        Assert.Equal([(1, "silo1 1 3")], await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll)));
        Assert.True(await TruthAsync(database, Update(database, 1, version: 1)));
        Assert.Equal([(2, "silo1 1 6 127.0.0.1:9@1,then")], await MembersAsync(database, Row(database, StoredQueries.MembershipReadRow, 1)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Of_many_updates_under_one_version_one_succeeds(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion));

        var done = await Task.WhenAll(Enumerable.Range(1, 8).Select(silo => TruthAsync(database, Insert(database, silo, version: 0))));

        Assert.Single(done, static d => d);
        Assert.Equal(1, Assert.Single(await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll))).Version);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Alive_time_gateways_and_clean_up_are_as_the_provider_wants_them(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        await TruthAsync(database, Of(database, StoredQueries.InsertMembershipVersion));
        await TruthAsync(database, Insert(database, 1, version: 0));
        await TruthAsync(database, Insert(database, 2, version: 1));
        await TruthAsync(database, Update(database, 2, version: 2));

        await database.Cluster.WriteAsync(Row(database, StoredQueries.UpdateIAmAliveTime, 1).With("IAmAliveTime", Now.AddMinutes(5)), static _ => 0);
        var times = await database.Cluster.ReadAsync(Row(database, StoredQueries.MembershipReadRow, 1), static row => (row.GetDateTime(row.GetOrdinal("StartTime")), row.GetDateTime(row.GetOrdinal("IAmAliveTime"))));
        Assert.Equal((Now.UtcDateTime, Now.UtcDateTime.AddMinutes(5)), Assert.Single(times));

        var gateways = await database.Cluster.ReadAsync(
            Of(database, StoredQueries.Gateways).With("Status", 3),
            static row => (row.GetString(row.GetOrdinal("Address")), row.GetInt32(row.GetOrdinal("ProxyPort")), row.GetInt32(row.GetOrdinal("Generation"))));
        Assert.Equal(("127.0.0.1", 1001, 7), Assert.Single(gateways));

        await database.Cluster.WriteAsync(Of(database, StoredQueries.CleanupDefunctSilos).With("IAmAliveTime", Now.AddHours(1)), static _ => 0);
        Assert.Equal([(3, "silo1 1 3")], await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll)));

        await database.Cluster.WriteAsync(Of(database, StoredQueries.DeleteMembership), static _ => 0);
        Assert.Empty(await MembersAsync(database, Of(database, StoredQueries.MembershipReadAll)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task State_is_written_read_cleared_and_deleted_under_the_right_version_only(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        foreach (var text in (string?[])["key", null])
        {
            Assert.Empty(await ReadAsync(database, text));
            Assert.Empty(await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: 1, [1]));
            Assert.Equal([1], await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: null, [1]));
            Assert.Empty(await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: null, [9]));
            Assert.Empty(await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: 5, [9]));
            Assert.Equal([2], await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: 1, [2, 3]));
            Assert.Equal([("0203", 2)], await ReadAsync(database, text));

            Assert.Empty(await ChangeAsync(database, StoredQueries.ClearStorage, text, version: 1));
            Assert.Equal([3], await ChangeAsync(database, StoredQueries.ClearStorage, text, version: 2));
            Assert.Equal([(null, 3)], await ReadAsync(database, text));
            Assert.Equal([4], await ChangeAsync(database, StoredQueries.WriteToStorage, text, version: 3, []));
            Assert.Equal([("", 4)], await ReadAsync(database, text));

            Assert.Empty(await ChangeAsync(database, StoredQueries.DeleteStorage, text, version: 3));
            Assert.Equal([5], await ChangeAsync(database, StoredQueries.DeleteStorage, text, version: 4));
            Assert.Empty(await ReadAsync(database, text));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Of_many_first_writes_at_once_one_succeeds(DatabaseKind kind)
    {
        using var database = await TestDatabase.CreateAsync(kind, postgres);
        var written = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => ChangeAsync(database, StoredQueries.WriteToStorage, "key", version: null, [(byte)i])));
        Assert.Equal([1], written.SelectMany(static w => w));
        Assert.Single(await ReadAsync(database, "key"));
    }

    private static Query Of(TestDatabase database, string name) => database.Cluster.Queries[name].With("DeploymentId", "deployment");

    private static Query Row(TestDatabase database, string name, int silo) => Of(database, name).With("Address", "127.0.0.1").With("Port", silo).With("Generation", 7);

    private static Query Insert(TestDatabase database, int silo, int version) => Row(database, StoredQueries.InsertMembership, silo)
        .With("IAmAliveTime", Now).With("SiloName", $"silo{silo}").With("HostName", "host").With("StartTime", Now).With("Status", 3).With("ProxyPort", 1000 + silo).With("Version", version);

    private static Query Update(TestDatabase database, int silo, int version) => Row(database, StoredQueries.UpdateMembership, silo)
        .With("IAmAliveTime", Now).With("Status", 6).With("SuspectTimes", "127.0.0.1:9@1,then").With("Version", version);

    /// <summary>Reads as the provider does: one column, as a boolean.</summary>
    private static async Task<bool> TruthAsync(TestDatabase database, Query query) => Assert.Single(await database.Cluster.WriteAsync(query, static row =>
    {
        Assert.Equal(1, row.FieldCount);
        return Convert.ToBoolean(row.GetValue(0), System.Globalization.CultureInfo.InvariantCulture);
    }));

    private static Task<List<(int Version, string? Silo)>> MembersAsync(TestDatabase database, Query query) => database.Cluster.ReadAsync(query, static row => (
        row.GetInt32(row.GetOrdinal("Version")),
        row.IsDBNull(row.GetOrdinal("StartTime")) ? null : $"{row["SiloName"]} {row["Port"]} {row["Status"]} {row["SuspectTimes"]}".TrimEnd()));

    private static Query State(TestDatabase database, string name, string? text) => database.Cluster.Queries[name]
        .With("GrainIdHash", -5).With("GrainIdN0", long.MinValue).With("GrainIdN1", long.MaxValue).With("GrainTypeHash", 6)
        .With("GrainTypeString", "state").With("GrainIdExtensionString", text).With("ServiceId", "service");

    private static Task<List<(string? Payload, int Version)>> ReadAsync(TestDatabase database, string? text) => database.Cluster.ReadAsync(
        State(database, StoredQueries.ReadFromStorage, text),
        static row => (row.IsDBNull("PayloadBinary") ? null : Convert.ToHexString(row.GetFieldValue<byte[]>("PayloadBinary")), row.GetInt32("Version")));

    private static Task<List<int>> ChangeAsync(TestDatabase database, string name, string? text, int? version, byte[]? payload = null)
    {
        var query = State(database, name, text).With("GrainStateVersion", version);
        return database.Cluster.WriteAsync(payload is null ? query : query.With("PayloadBinary", payload), static row => row.GetInt32("NewGrainStateVersion"));
    }
}
