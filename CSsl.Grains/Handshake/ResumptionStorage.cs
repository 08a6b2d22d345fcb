using System.Data.Common;
using CSsl.Database;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace CSsl.Grains.Handshake;

/// <summary>
/// Where TLS 1.2 sessions are kept: in a table of their own, by session id, with the time at which they expire. Most are never asked for again, and a busy
/// cluster has millions of them, so they leave by that time, many with one statement, and not through a grain for each.
/// </summary>
/// <remarks>Without versions: a session is written once, by the handshake that made it, and has nothing to lose to a second writer.</remarks>
/// <param name="database">Where the table is.</param>
/// <param name="serviceId">Which cluster's sessions.</param>
public sealed class ResumptionStorage(ClusterDatabase database, string serviceId) : IGrainStorage
{
    /// <summary>Its name among the silo's storages.</summary>
    public const string Name = "resumption";

    private const string ReadSql = "SELECT sealed, expires_at FROM tls_session WHERE service_id = @ServiceId AND session_id = @SessionId";

    private const string WriteSql = """
        INSERT INTO tls_session (service_id, session_id, sealed, expires_at) VALUES (@ServiceId, @SessionId, @Sealed, @ExpiresAt)
        ON CONFLICT (service_id, session_id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at
        """;

    private const string DeleteSql = "DELETE FROM tls_session WHERE service_id = @ServiceId AND session_id = @SessionId";

    // A thousand at a time, so that nobody waits long.
    private const string DeleteExpiredSql = """
        DELETE FROM tls_session WHERE service_id = @ServiceId AND session_id IN
            (SELECT session_id FROM tls_session WHERE service_id = @ServiceId AND expires_at < @ExpiredBefore LIMIT 1000)
        RETURNING 1
        """;

    /// <inheritdoc/>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var found = await database.ReadAsync(Of(ReadSql, grainId), ReadRow);
        (grainState.State, grainState.RecordExists) = found is [var session] ? ((T)(object)session, true) : (Activator.CreateInstance<T>(), false);
    }

    /// <inheritdoc/>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var session = (ResumptionState)(object)grainState.State!;
        await database.WriteAsync(Of(WriteSql, grainId).With("Sealed", session.Sealed).With("ExpiresAt", session.ExpiresAt.ToUnixTimeMilliseconds()), static _ => 0);
        grainState.RecordExists = true;
    }

    /// <inheritdoc/>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await database.WriteAsync(Of(DeleteSql, grainId), static _ => 0);
        (grainState.State, grainState.RecordExists) = (Activator.CreateInstance<T>(), false);
    }

    /// <summary>Deletes the sessions that had expired by then.</summary>
    /// <returns>How many.</returns>
    public async Task<int> DeleteExpiredAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var deleted = 0;
        int batch;
        do
        {
            var query = new Query(DeleteExpiredSql).With("ServiceId", serviceId).With("ExpiredBefore", before.ToUnixTimeMilliseconds());
            batch = (await database.WriteAsync(query, static _ => 0, cancellationToken)).Count;
            deleted += batch;
        }
        while (batch > 0);
        return deleted;
    }

    private Query Of(string sql, GrainId grainId) => new Query(sql).With("ServiceId", serviceId).With("SessionId", grainId.Key.ToString());

    private static ResumptionState ReadRow(DbDataReader row)
        => new() { Sealed = row.GetFieldValue<byte[]>(0), ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)) };
}

/// <summary>What a silo needs to keep TLS 1.2 sessions.</summary>
public static class ResumptionStorageHosting
{
    /// <summary>Keeps them in that database.</summary>
    public static ISiloBuilder AddResumptionStorage(this ISiloBuilder builder, ClusterDatabase database)
    {
        builder.Services.AddSingleton(services => new ResumptionStorage(database, services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId));
        builder.Services.AddGrainStorage(ResumptionStorage.Name, static (services, _) => services.GetRequiredService<ResumptionStorage>());
        return builder;
    }
}
