namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Orleans's numbers in the Status column; this engine writes only these.</summary>
internal enum SiloStatus
{
    None = 0,

    /// <summary>Takes calls and activates grains.</summary>
    Active = 3,

    /// <summary>Finishes what it has, takes no new grains.</summary>
    ShuttingDown = 4,
    Dead = 6,
}
