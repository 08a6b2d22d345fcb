using System.Collections.Frozen;

namespace CSsl.Database;

/// <summary>The statements of OrleansQuery, by name. Names and parameters are the contract of Orleans's ADO.NET providers.</summary>
public sealed class StoredQueries
{
    public const string MembershipReadAll = "MembershipReadAllKey";
    public const string MembershipReadRow = "MembershipReadRowKey";
    public const string Gateways = "GatewaysQueryKey";
    public const string InsertMembershipVersion = "InsertMembershipVersionKey";
    public const string InsertMembership = "InsertMembershipKey";
    public const string UpdateMembership = "UpdateMembershipKey";
    public const string UpdateIAmAliveTime = "UpdateIAmAlivetimeKey";
    public const string CleanupDefunctSilos = "CleanupDefunctSiloEntriesKey";
    public const string DeleteMembership = "DeleteMembershipTableEntriesKey";
    public const string ReadFromStorage = "ReadFromStorageKey";
    public const string WriteToStorage = "WriteToStorageKey";
    public const string ClearStorage = "ClearStorageKey";
    public const string DeleteStorage = "DeleteStorageKey";

    private readonly FrozenDictionary<string, string> _texts;

    private StoredQueries(IEnumerable<KeyValuePair<string, string>> texts) => _texts = texts.ToFrozenDictionary();

    /// <summary>A query by its name, to be given its parameters.</summary>
    public Query this[string name] => new(_texts[name]);

    internal static async Task<StoredQueries> LoadAsync(ClusterDatabase database, CancellationToken cancellationToken)
        => new(await database.ReadAsync(new Query("SELECT QueryKey, QueryText FROM OrleansQuery"), static row => KeyValuePair.Create(row.GetString(0), row.GetString(1)), cancellationToken).ConfigureAwait(false));
}
