using Orleans;

namespace CSsl.Grains.Cluster;

/// <summary>Which of two views is the newer, whatever any clock says.</summary>
/// <param name="Epoch">Grows with every activation of the cluster grain, and is stored before that one has made its first view.</param>
/// <param name="Counter">Grows with every view of one activation.</param>
[GenerateSerializer, Immutable, Alias("CSsl.ViewVersion")]
public readonly record struct ViewVersion([property: Id(0)] long Epoch, [property: Id(1)] long Counter) : IComparable<ViewVersion>
{
    /// <summary>The one after it, of the same activation.</summary>
    public ViewVersion Next => this with { Counter = Counter + 1 };

    public static bool operator <(ViewVersion one, ViewVersion other) => one.CompareTo(other) < 0;

    public static bool operator >(ViewVersion one, ViewVersion other) => one.CompareTo(other) > 0;

    public static bool operator <=(ViewVersion one, ViewVersion other) => one.CompareTo(other) <= 0;

    public static bool operator >=(ViewVersion one, ViewVersion other) => one.CompareTo(other) >= 0;

    /// <inheritdoc/>
    public int CompareTo(ViewVersion other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Counter.CompareTo(other.Counter);

    /// <inheritdoc/>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Epoch}.{Counter}");
}
