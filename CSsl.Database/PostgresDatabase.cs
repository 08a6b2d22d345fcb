using System.Data.Common;
using Npgsql;

namespace CSsl.Database;

/// <summary>A PostgreSQL database.</summary>
internal sealed class PostgresDatabase : ClusterDatabase
{
    /// <summary>The advisory lock of migrations: "CSSL" in ASCII.</summary>
    private const long LockKey = 0x4353534C;

    /// <summary>That of turns: "CSST".</summary>
    private const long TurnKey = 0x43535354;

    /// <param name="database">A connection string of Npgsql. What it leaves open is set for a control plane: short waits, few connections.</param>
    /// <exception cref="ArgumentException">Not such a string.</exception>
    public PostgresDatabase(string database)
    {
        var builder = new NpgsqlConnectionStringBuilder(database);
        SetDefault("Timeout", 3);
        SetDefault("Command Timeout", 5);
        SetDefault("Maximum Pool Size", 8);
        SetDefault("Application Name", "cssl");

        // Or Kerberos is tried first, and a machine without its library gets two lines on standard error that look like a failure.
        SetDefault("GSS Encryption Mode", nameof(GssEncryptionMode.Disable));
        ConnectionString = builder.ConnectionString;
        Name = $"postgres://{builder.Host}:{builder.Port}/{builder.Database}";

        void SetDefault(string key, object value)
        {
            if (!builder.ShouldSerialize(key))
                builder[key] = value;
        }
    }

    public override DatabaseKind Kind => DatabaseKind.Postgres;

    public override string Name { get; }

    public override string ConnectionString { get; }

    internal override Query? MigrationLock => new Query("SELECT pg_advisory_xact_lock(@Key)").With("Key", LockKey);

    public override async Task<IAsyncDisposable?> TakeTurnAsync(TimeSpan patience)
    {
        // The lock is a transaction's, which ends with the connection.
        var connection = new NpgsqlConnection(ConnectionString);
        try
        {
            await connection.OpenAsync().ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync().ConfigureAwait(false);
            await new Query($"SET LOCAL lock_timeout = {(int)patience.TotalMilliseconds}").RunAsync(connection, transaction, static _ => 0, CancellationToken.None).ConfigureAwait(false);
            await new Query("SELECT pg_advisory_xact_lock(@Key)").With("Key", TurnKey).RunAsync(connection, transaction, static _ => 0, CancellationToken.None).ConfigureAwait(false);
            return connection;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    internal override async Task<T> ConnectAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        return await work(connection).ConfigureAwait(false);
    }

    internal override Task<T> ChangeAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken) => ConnectAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            var result = await work(connection, transaction).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return result;
        },
        cancellationToken);
}
