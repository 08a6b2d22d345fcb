using System.Data.Common;
using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace CSsl.Database;

/// <summary>A SQLite file.</summary>
internal sealed class SqliteDatabase : ClusterDatabase
{
    private static readonly TimeSpan TurnPollInterval = TimeSpan.FromMilliseconds(5);

    private readonly string _path;
    private volatile bool _logsAhead;

    /// <param name="database">A path, or a connection string of Microsoft.Data.Sqlite.</param>
    /// <exception cref="ArgumentException">Neither.</exception>
    public SqliteDatabase(string database)
    {
        var builder = database.Contains('=', StringComparison.Ordinal) ? new SqliteConnectionStringBuilder(database) : new SqliteConnectionStringBuilder { DataSource = database };

        // How long a writer waits for another process's, in seconds.
        builder.DefaultTimeout = 5;
        ConnectionString = builder.ToString();
        _path = builder.DataSource;
    }

    public override DatabaseKind Kind => DatabaseKind.Sqlite;

    public override string Name => _path;

    public override string ConnectionString { get; }

    internal override bool Exists => File.Exists(_path);

    /// <summary>A writing transaction is alone as it is.</summary>
    internal override Query? MigrationLock => null;

    // A file beside the database, locked as long as it is open: a transaction would keep others from writing anything.
    public override async Task<IAsyncDisposable?> TakeTurnAsync(TimeSpan patience)
    {
        var began = Stopwatch.GetTimestamp();
        do
        {
            try
            {
                return new FileStream($"{_path}-turn", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException)
            {
                await Task.Delay(TurnPollInterval).ConfigureAwait(false);
            }
        }
        while (Stopwatch.GetElapsedTime(began) < patience);
        return null;
    }

    // On the thread pool: SQLite has no asynchronous I/O, and a grain's turn must not block.
    internal override Task<T> ConnectAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            await using var connection = new SqliteConnection(ConnectionString);
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return await work(connection).ConfigureAwait(false);
        },
        cancellationToken);

    internal override Task<T> ChangeAsync<T>(Func<DbConnection, DbTransaction, Task<T>> work, CancellationToken cancellationToken) => ConnectAsync(
        async connection =>
        {
            if (!_logsAhead)
            {
                // A property of the file: readers never wait for the writer.
                await new Query("PRAGMA journal_mode=WAL").RunAsync(connection, null, static row => row.GetString(0), cancellationToken).ConfigureAwait(false);
                _logsAhead = true;
            }

            // A writer from its start, so that what it reads stays true until it commits.
            await using var transaction = ((SqliteConnection)connection).BeginTransaction(deferred: false);
            var result = await work(connection, transaction).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            return result;
        },
        cancellationToken);
}
