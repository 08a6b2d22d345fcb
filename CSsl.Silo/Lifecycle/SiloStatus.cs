using CSsl.Grains.Cluster;

namespace CSsl.Silo.Lifecycle;

/// <summary>Where this silo is in its life. Written by <see cref="SiloDrain"/>, read by everyone.</summary>
public sealed class SiloStatus
{
    private volatile SiloState _state = SiloState.Joining;

    public SiloState State
    {
        get => _state;
        internal set => _state = value;
    }

    public bool IsDraining => _state == SiloState.Draining;

    /// <summary>Tells one run of the silo from the next.</summary>
    public Guid Incarnation { get; } = Guid.NewGuid();
}
