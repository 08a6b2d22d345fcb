namespace CSsl.Database;

/// <summary>The databases that there is SQL for, by the names of their folders in db/.</summary>
public enum DatabaseKind
{
    /// <summary>A file, for the processes of one machine.</summary>
    Sqlite,

    /// <summary>A server, for a cluster.</summary>
    Postgres,
}
