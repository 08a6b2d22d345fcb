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
    private volatile SealingState _sealing = new(NotToldYet, IsTrouble: false);
    private volatile string? _trouble;

    /// <summary>The <see cref="Obstacle"/> at the start.</summary>
    internal const string NotToldYet = "the cluster has not said yet which key it seals under";

    /// <param name="roles">What it starts with.</param>
    public SiloStatus(SiloRoles roles) => _roles = _taken = roles;

    /// <summary>Where it is in its life.</summary>
    public SiloState State => _state == SiloState.Active && _sealing.Obstacle is not null ? SiloState.Joining : _state;

    /// <summary>Why it is not active although all of it listens; null when nothing is in the way.</summary>
    public string? Obstacle => _sealing.Obstacle;

    /// <summary>What it does, as the cluster sees it.</summary>
    public SiloRoles Roles => _roles;

    /// <summary>The order that it acts on; null when it has none.</summary>
    public SiloOrder? Order { get; internal set; }

    /// <summary>Why it can't do what it was ordered, or serve at all; null when it can.</summary>
    public string? Trouble
    {
        get => _trouble ?? (_sealing.IsTrouble ? _sealing.Obstacle : null);
        internal set => _trouble = value;
    }

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

    /// <summary>Whether it can seal and open what the cluster does.</summary>
    /// <param name="obstacle">Why not; null when it can.</param>
    /// <param name="isTrouble">An operator must do something about it.</param>
    internal void SealsAs(string? obstacle, bool isTrouble) => _sealing = new SealingState(obstacle, isTrouble);

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

    private sealed record SealingState(string? Obstacle, bool IsTrouble);
}
