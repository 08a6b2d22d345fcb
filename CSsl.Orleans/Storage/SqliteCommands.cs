using Microsoft.Data.Sqlite;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>Shorter commands.</summary>
internal static class SqliteCommands
{
    /// <summary>A command with its parameters; <paramref name="transaction"/> may be null.</summary>
    public static SqliteCommand Command(this SqliteConnection connection, SqliteTransaction? transaction, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every caller's text is a constant.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Transaction = transaction;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
