using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CSsl.Database;
using CSsl.EmbeddedCluster.Activations;
using Orleans.Storage;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>A stored value and its version. A value that was cleared keeps its version.</summary>
internal sealed record StoredState(byte[]? Payload, string? Etag);

/// <summary>Grain state in OrleansStorage, through the statements that Orleans's provider uses: one row per grain and state name. The ETag is the row's version.</summary>
internal sealed class GrainStorage(ClusterDatabase database, string serviceId)
{
    public async Task<StoredState> ReadAsync(GrainId grain, string name)
    {
        var rows = await database.ReadAsync(
            QueryFor(StoredQueries.ReadFromStorage, grain, name),
            static row => new StoredState(row.IsDBNull(0) ? null : row.GetFieldValue<byte[]>(0), row.GetInt32(1).ToString(CultureInfo.InvariantCulture)));
        return rows.SingleOrDefault() ?? new StoredState(null, null);
    }

    /// <summary>Stores <paramref name="payload"/> (null clears) if the stored version is still <paramref name="etag"/>; returns the new version.</summary>
    /// <exception cref="InconsistentStateException">It is not.</exception>
    public async Task<string> WriteAsync(GrainId grain, string name, byte[]? payload, string? etag)
    {
        var query = payload is null
            ? QueryFor(StoredQueries.ClearStorage, grain, name)
            : QueryFor(StoredQueries.WriteToStorage, grain, name).With("PayloadBinary", payload);
        query.With("GrainStateVersion", etag is null ? null : int.Parse(etag, CultureInfo.InvariantCulture));
        var versions = await database.WriteAsync(query, static row => row.GetInt32(0));
        if (versions.Count == 1)
            return versions[0].ToString(CultureInfo.InvariantCulture);

        var stored = await ReadAsync(grain, name);
        throw new InconsistentStateException($"The state '{name}' of {grain} was written by somebody else.", stored.Etag, etag);
    }

    private Query QueryFor(string statement, GrainId grain, string name) => database.Queries[statement]
        .With("GrainIdHash", Hash(grain.Key.Text))
        .With("GrainIdN0", 0L)
        .With("GrainIdN1", 0L)
        .With("GrainTypeHash", Hash(name))
        .With("GrainTypeString", name)
        .With("GrainIdExtensionString", grain.Key.Text)
        .With("ServiceId", serviceId);

    /// <summary>Narrows the index; the strings decide.</summary>
    private static int Hash(string text) => BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
