using System.Data.Common;
using CSsl.Database.Migrations;

namespace CSsl.Database;

/// <summary>The database that the processes of a cluster share: membership and grain state. Thread-safe; opens a connection for each call, from a pool.</summary>
public abstract class ClusterDatabase
{
    private volatile StoredQueries? _queries;

    public abstract DatabaseKind Kind { get; }

    /// <summary>Which database this is, for people: never with a password.</summary>
    public abstract string Name { get; }

    /// <summary>The ADO.NET provider's connection string, complete: with a password, if there is one.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>The statements that the migrations stored.</summary>
    /// <exception cref="InvalidOperationException"><see cref="PrepareAsync"/> has not run.</exception>
    public StoredQueries Queries => _queries ?? throw new InvalidOperationException("The database was not prepared.");

    /// <summary>False when there is nothing to connect to yet, because the first connection would make it.</summary>
    internal virtual bool Exists => true;

    /// <summary>The database of a path or connection string.</summary>
    /// <param name="database">A path (SQLite); or a connection string: with Host it is PostgreSQL's (Npgsql), else SQLite's (Microsoft.Data.Sqlite).</param>
    /// <param name="kind">Which it is; null: see <paramref name="database"/>.</param>
    /// <exception cref="DatabaseException">Not a connection string.</exception>
    public static ClusterDatabase Of(string database, DatabaseKind? kind = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(database);
        try
        {
            return (kind ?? KindOf(database)) == DatabaseKind.Postgres ? new PostgresDatabase(database) : new SqliteDatabase(database);
        }
        catch (ArgumentException e)
        {
            // Its own message may repeat a part of the text, and with it the password.
            throw new DatabaseException("Neither a path nor a connection string of SQLite or PostgreSQL (Host=...;Database=...;Username=...).", new ArgumentException(e.GetType().Name));
        }
    }

    /// <summary>Brings the tables up to date (see <see cref="Migrator"/>) and reads the stored statements. Several processes may do it at once.</summary>
    /// <exception cref="DatabaseException">The database can't be reached or written.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        await new Migrator(this).ApplyAsync(cancellationToken).ConfigureAwait(false);
        _queries = await StoredQueries.LoadAsync(this, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a query that changes nothing.</summary>
    /// <exception cref="DbException">The database refuses, or can't be reached in time.</exception>
    public Task<List<T>> ReadAsync<T>(Query query, Func<DbDataReader, T> read, CancellationToken cancellationToken = default)
        => ConnectAsync(connection => query.RunAsync(connection, null, read, cancellationToken), cancellationToken);

    /// <summary>Runs a query that changes something: all of it or nothing.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public Task<List<T>> WriteAsync<T>(Query query, Func<DbDataReader, T> read, CancellationToken cancellationToken = default)
        => ChangeAsync((connection, transaction) => query.RunAsync(connection, transaction, read, cancellationToken), cancellationToken);

    /// <summary>
    /// Waits until no other process has the turn, and takes it. It ends when it is disposed, and with the process. For short pieces of work that would fail, and be tried again
    /// much later, when several processes did them at once; never for what goes wrong then, because a turn may not be had.
    /// </summary>
    /// <param name="patience">How long to wait.</param>
    /// <returns>Null: others had the turn for all that time.</returns>
    /// <exception cref="DbException">The database refuses, or can't be reached in time.</exception>
    public abstract Task<IAsyncDisposable?> TakeTurnAsync(TimeSpan patience);

    /// <summary>Runs <paramref name="work"/> with a connection of its own.</summary>
    internal abstract Task<T> ConnectAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>Runs <paramref name="work"/> in a transaction, and commits.</summary>
    internal abstract Task<T> ChangeAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>Waits, in the transaction, until no other process migrates.</summary>
    internal abstract Query? MigrationLock { get; }

    private static DatabaseKind KindOf(string database)
    {
        if (!database.Contains('=', StringComparison.Ordinal))
            return DatabaseKind.Sqlite;
        var words = new DbConnectionStringBuilder { ConnectionString = database };
        return words.ContainsKey("Host") || words.ContainsKey("Server") ? DatabaseKind.Postgres : DatabaseKind.Sqlite;
    }
}

/// <summary>The database can't be used as it is: says which and why, without a password.</summary>
public sealed class DatabaseException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The databases that there is SQL for, by the names of their folders in db/.</summary>
public enum DatabaseKind
{
    /// <summary>A file, for the processes of one machine.</summary>
    Sqlite,

    /// <summary>A server, for a cluster.</summary>
    Postgres,
}
