using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CSsl.EmbeddedCluster.Activations;
using Orleans.Storage;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>A stored value and its version. A value that was cleared keeps its version.</summary>
internal sealed record StoredState(byte[]? Payload, string? Etag);

/// <summary>Grain state in OrleansStorage: one row per grain and state name. The ETag is the row's version.</summary>
internal sealed class GrainStorage(ClusterDatabase database, string serviceId)
{
    private const string Row = "GrainIdHash = $hash AND GrainTypeHash = $typeHash AND GrainIdN0 = 0 AND GrainIdN1 = 0 AND GrainTypeString = $type AND GrainIdExtensionString = $key AND ServiceId = $service";

    public Task<StoredState> ReadAsync(GrainId grain, string name) => database.RunAsync(connection =>
    {
        using var command = connection.Command(null, $"SELECT PayloadBinary, Version FROM OrleansStorage WHERE {Row}", RowOf(grain, name));
        using var reader = command.ExecuteReader();
        return reader.Read()
            ? new StoredState(reader.IsDBNull(0) ? null : (byte[])reader[0], reader.GetInt64(1).ToString(CultureInfo.InvariantCulture))
            : new StoredState(null, null);
    });

    /// <summary>Stores <paramref name="payload"/> (null clears) if the stored version is still <paramref name="etag"/>; returns the new version.</summary>
    /// <exception cref="InconsistentStateException">It is not.</exception>
    public Task<string> WriteAsync(GrainId grain, string name, byte[]? payload, string? etag) => database.WriteAsync((connection, transaction) =>
    {
        var row = RowOf(grain, name);
        using var read = connection.Command(transaction, $"SELECT Version FROM OrleansStorage WHERE {Row}", row);
        var stored = read.ExecuteScalar() is long version ? version.ToString(CultureInfo.InvariantCulture) : null;
        if (stored != etag)
            throw new InconsistentStateException($"The state '{name}' of {grain} was written by somebody else.", stored, etag);

        var next = stored is null ? 1 : long.Parse(stored, CultureInfo.InvariantCulture) + 1;
        using var write = connection.Command(
            transaction,
            stored is null
                ? "INSERT INTO OrleansStorage (GrainIdHash, GrainIdN0, GrainIdN1, GrainTypeHash, GrainTypeString, GrainIdExtensionString, ServiceId, PayloadBinary, ModifiedOn, Version) VALUES ($hash, 0, 0, $typeHash, $type, $key, $service, $payload, datetime('now'), $version)"
                : $"UPDATE OrleansStorage SET PayloadBinary = $payload, ModifiedOn = datetime('now'), Version = $version WHERE {Row}",
            [.. row, ("$payload", payload), ("$version", next)]);
        write.ExecuteNonQuery();
        return next.ToString(CultureInfo.InvariantCulture);
    });

    private (string, object?)[] RowOf(GrainId grain, string name)
    {
        var type = $"{grain.Class}.{name}";
        return [("$hash", Hash(grain.Key.Text)), ("$typeHash", Hash(type)), ("$type", type), ("$key", grain.Key.Text), ("$service", serviceId)];
    }

    /// <summary>Narrows the index; the strings decide.</summary>
    private static int Hash(string text) => BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
