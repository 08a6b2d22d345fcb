using CSsl.EmbeddedCluster.Calls;

namespace CSsl.EmbeddedCluster.Activations;

/// <summary>A grain in the cluster: the name of its class and its key.</summary>
internal readonly record struct GrainId(string Class, GrainKey Key)
{
    public override string ToString() => $"{Class}/{Key}";
}
