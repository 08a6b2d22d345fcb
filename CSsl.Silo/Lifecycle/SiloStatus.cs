using CSsl.Grains.Cluster;

namespace CSsl.Silo.Lifecycle;

/// <summary>What this silo is and does at the moment. Written by <see cref="SiloDrain"/> and <see cref="SiloReconciler"/>, read by everyone.</summary>
public sealed class SiloStatus
{
    private readonly Lock _gate = new();
    private volatile SiloState _state = SiloState.Joining;
    private volatile SiloRoles _roles;
    private volatile SiloRoles _taken;
    private volatile bool _isLeaving;

    /// <param name="roles">What it starts with.</param>
    public SiloStatus(SiloRoles roles) => _roles = _taken = roles;

    /// <summary>Where it is in its life.</summary>
    public SiloState State => _state;

    /// <summary>What it does, as the cluster sees it.</summary>
    public SiloRoles Roles => _roles;

    /// <summary>The order that it acts on; null when it has none.</summary>
    public SiloOrder? Order { get; internal set; }

    /// <summary>Why it can't do what it was ordered; null when it can.</summary>
    public string? Trouble { get; internal set; }

    public bool IsDraining => _state is SiloState.Draining or SiloState.Drained;

    /// <summary>Tells one run of the silo from the next.</summary>
    public Guid Incarnation { get; } = Guid.NewGuid();

    /// <summary>True while it takes new work of that role: a little longer than it says that it has the role, because gateways hear of a change a moment late.</summary>
    public bool Takes(SiloRoles role) => (_taken & role) == role;

    /// <summary>Everything of the silo listens.</summary>
    internal void Activate()
    {
        lock (_gate)
            _state = _isLeaving || Order?.Drains(Incarnation) == true ? SiloState.Draining : SiloState.Active;
    }

    /// <summary>Does something else from now on; what is left out is taken until <see cref="Refuse"/>.</summary>
    internal void Become(SiloRoles roles, bool drains)
    {
        lock (_gate)
        {
            if (_isLeaving)
                return;
            _roles = roles;
            _taken |= drains ? SiloRoles.None : roles;
            if (_state != SiloState.Joining)
                _state = drains ? SiloState.Draining : SiloState.Active;
        }
    }

    /// <summary>Takes nothing new of that role: gateways know by now.</summary>
    internal void Refuse(SiloRoles role)
    {
        lock (_gate)
            _taken &= ~role;
    }

    /// <summary>Nothing is left; false: it was not ordered to drain, or has said so before.</summary>
    internal bool TryDrained()
    {
        lock (_gate)
        {
            if (_state != SiloState.Draining || _isLeaving)
                return false;
            _state = SiloState.Drained;
            return true;
        }
    }

    /// <summary>The process stops: takes nothing more, and no order changes that.</summary>
    internal void Leave()
    {
        lock (_gate)
        {
            _isLeaving = true;
            _state = SiloState.Draining;
            _taken = SiloRoles.None;
        }
    }
}
