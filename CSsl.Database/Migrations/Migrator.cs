using System.Collections.Immutable;
using System.Data.Common;

namespace CSsl.Database.Migrations;

/// <summary>
/// Brings a database's tables up to date. All that is missing is done in one transaction behind a lock, so that processes that start at once don't
/// meet; a database that lacks nothing is only read, so that a user without the right to change tables can start.
/// </summary>
public sealed class Migrator(ClusterDatabase database)
{
    private const string TableName = "schema_version";

    private const string Table = $"""
        CREATE TABLE IF NOT EXISTS {TableName} (
            version integer NOT NULL PRIMARY KEY,
            name varchar(100) NOT NULL,
            applied_at varchar(40) NOT NULL)
        """;

    private readonly ImmutableArray<Migration> _known = Migration.Of(database.Kind);

    /// <summary>What the database has had and what it lacks. Changes nothing.</summary>
    /// <exception cref="DatabaseException">The database can't be reached.</exception>
    public Task<SchemaStatus> StatusAsync(CancellationToken cancellationToken = default) => database.Exists
        ? ExplainAsync(() => database.ConnectAsync(connection => ReadAsync(connection, null, cancellationToken), cancellationToken))
        : Task.FromResult(new SchemaStatus([], _known));

    /// <summary>Does what is missing; returns it.</summary>
    /// <exception cref="DatabaseException">The database can't be reached or written.</exception>
    public async Task<ImmutableArray<Migration>> ApplyAsync(CancellationToken cancellationToken = default)
    {
        var status = await StatusAsync(cancellationToken).ConfigureAwait(false);
        return status.Pending.IsEmpty
            ? []
            : await ExplainAsync(() => database.ChangeAsync((connection, transaction) => ApplyAsync(connection, transaction, cancellationToken), cancellationToken)).ConfigureAwait(false);
    }

    private async Task<ImmutableArray<Migration>> ApplyAsync(DbConnection connection, DbTransaction transaction, CancellationToken cancellationToken)
    {
        if (database.MigrationLock is { } wait)
            await RunAsync(wait).ConfigureAwait(false);
        await RunAsync(new Query(Table)).ConfigureAwait(false);

        // Another process may have been here while this one waited.
        var pending = (await ReadAsync(connection, transaction, cancellationToken).ConfigureAwait(false)).Pending;
        foreach (var migration in pending)
        {
            await RunAsync(new Query(migration.Sql)).ConfigureAwait(false);
            await RunAsync(new Query($"INSERT INTO {TableName} (version, name, applied_at) VALUES (@Version, @Name, @AppliedAt)")
                .With("Version", migration.Version).With("Name", migration.Name).With("AppliedAt", TimeProvider.System.GetUtcNow().ToString("O"))).ConfigureAwait(false);
        }

        return pending;

        Task RunAsync(Query query) => query.RunAsync(connection, transaction, static _ => 0, cancellationToken);
    }

    private async Task<SchemaStatus> ReadAsync(DbConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        var exists = await new Query(database.Kind == DatabaseKind.Sqlite
            ? $"SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '{TableName}'"
            : $"SELECT COUNT(to_regclass('{TableName}'))").RunAsync(connection, transaction, static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false);
        if (exists[0] == 0)
            return new SchemaStatus([], _known);

        var applied = await new Query($"SELECT version, name, applied_at FROM {TableName} ORDER BY version").RunAsync(
            connection,
            transaction,
            static row => new AppliedMigration(row.GetInt32(0), row.GetString(1), DateTimeOffset.Parse(row.GetString(2), System.Globalization.CultureInfo.InvariantCulture)),
            cancellationToken).ConfigureAwait(false);
        var versions = applied.Select(static migration => migration.Version).ToHashSet();
        return new SchemaStatus([.. applied], [.. _known.Where(migration => !versions.Contains(migration.Version))]);
    }

    private async Task<T> ExplainAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            throw new DatabaseException($"The cluster's database {database.Name} can't be used: {e.InnerException?.Message ?? e.Message}", e);
        }
    }
}
