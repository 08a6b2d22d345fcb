using CSsl.Database;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Storage;

/// <summary>The cluster's database, as a host of the engine opens it.</summary>
internal static class EngineDatabase
{
    /// <exception cref="OrleansConfigurationException">Not a database that there is.</exception>
    public static ClusterDatabase Of(string database)
    {
        try
        {
            return ClusterDatabase.Of(database);
        }
        catch (DatabaseException e)
        {
            throw new OrleansConfigurationException(e.Message, e);
        }
    }

    /// <summary>Makes the tables where they are missing.</summary>
    /// <exception cref="OrleansConfigurationException">The database can't be reached or written: says which and why.</exception>
    public static async Task OpenAsync(this ClusterDatabase database, CancellationToken cancellationToken)
    {
        try
        {
            await database.PrepareAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DatabaseException e)
        {
            throw new OrleansConfigurationException(e.Message, e);
        }
    }
}
