using System.Data;
using System.Data.Common;

namespace CSsl.Database;

/// <summary>A statement with its parameters, for either database. Parameters are written as "@Name" in the statement.</summary>
/// <param name="sql">A constant, or a text of <see cref="StoredQueries"/>.</param>
public sealed class Query(string sql)
{
    private readonly List<(string Name, DbType Type, object? Value)> _parameters = [];

    public Query With(string name, string? value) => Add(name, DbType.String, value);

    public Query With(string name, int value) => Add(name, DbType.Int32, value);

    public Query With(string name, int? value) => Add(name, DbType.Int32, value);

    public Query With(string name, long value) => Add(name, DbType.Int64, value);

    public Query With(string name, byte[]? value) => Add(name, DbType.Binary, value);

    public Query With(string name, DateTimeOffset value) => Add(name, DbType.DateTime, value.UtcDateTime);

    /// <summary>Runs every statement to its end; gives what <paramref name="read"/> makes of each row.</summary>
    internal async Task<List<T>> RunAsync<T>(DbConnection connection, DbTransaction? transaction, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Callers' texts are constants, or what the migrations put into OrleansQuery.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Transaction = transaction;
        foreach (var (name, type, value) in _parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.DbType, parameter.Value) = (name, type, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var rows = new List<T>();
        do
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                rows.Add(read(reader));
        }
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false));
        return rows;
    }

    private Query Add(string name, DbType type, object? value)
    {
        _parameters.Add((name, type, value));
        return this;
    }
}
