using Orleans.Runtime;

namespace Orleans.Runtime
{
    /// <summary>Says on which silo a grain is activated.</summary>
    public abstract class PlacementStrategy;
}

namespace Orleans.Placement
{
    /// <summary>Gives a grain class its placement; without one the engine chooses.</summary>
    [AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
    public abstract class PlacementAttribute : Attribute
    {
        protected PlacementAttribute(PlacementStrategy placement) => PlacementStrategy = placement;

        public PlacementStrategy PlacementStrategy { get; }
    }

    /// <summary>The grain is activated on the silo that calls it first (for a client: on the silo that takes its call).</summary>
    [AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
    public sealed class PreferLocalPlacementAttribute : PlacementAttribute
    {
        public PreferLocalPlacementAttribute() : base(new PreferLocalPlacement())
        {
        }
    }
}

namespace Orleans.Runtime
{
    /// <summary>See <see cref="Placement.PreferLocalPlacementAttribute"/>.</summary>
    public sealed class PreferLocalPlacement : PlacementStrategy;
}
