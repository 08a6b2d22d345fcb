using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>A process reports under the name of another one that lives: it has to end.</summary>
[GenerateSerializer, Alias("CSsl.DuplicateNameException")]
public sealed class DuplicateNameException(string message) : Exception(message);
