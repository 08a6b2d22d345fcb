using CSsl.EmbeddedCluster.Calls;
using Orleans.Runtime;

namespace Orleans;

/// <summary>The key of a grain, from the grain itself or from a reference to it.</summary>
public static class GrainExtensions
{
    /// <exception cref="InvalidOperationException">The grain's key is not a <see cref="Guid"/>.</exception>
    public static Guid GetPrimaryKey(this IAddressable grain) => KeyOf(grain).ToGuid();

    /// <exception cref="InvalidOperationException">The grain's key is not a <see cref="long"/>.</exception>
    public static long GetPrimaryKeyLong(this IAddressable grain) => KeyOf(grain).ToInt64();

    public static string GetPrimaryKeyString(this IAddressable grain) => KeyOf(grain).Text;

    private static GrainKey KeyOf(IAddressable grain) => grain switch
    {
        IKeyed reference => reference.Key,
        IGrainBase { GrainContext: IKeyed activation } => activation.Key,
        _ => throw new ArgumentException("Neither a grain reference nor an activated grain.", nameof(grain)),
    };
}
