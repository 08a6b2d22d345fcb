namespace CSsl.EmbeddedCluster.Calls;

/// <summary>Something that an activation does in a turn of its own: a call, or a tick of a timer.</summary>
internal interface ITurn
{
    /// <summary>Runs to its end on the activation's scheduler. Throws nothing; returns what the activation must know.</summary>
    ValueTask<Exception?> RunAsync(object grain);
}
