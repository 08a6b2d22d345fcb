namespace CSsl.Grains.Cluster;

/// <summary>What silos are meant to do, by a view: its orders, and where there is none what a silo does already.</summary>
public sealed class DesiredState(ClusterView view)
{
    private readonly Dictionary<string, SiloOrder> _orders = view.Orders.ToDictionary(static order => order.Silo);

    /// <summary>The roles that it is to have.</summary>
    public SiloRoles RolesOf(SiloReport silo) => OrderFor(silo) is { } order ? order.Roles ?? silo.StartRoles : silo.Roles;

    /// <summary>Who decides about them.</summary>
    public RoleMode ModeOf(SiloReport silo) => OrderFor(silo)?.Mode ?? silo.Mode;

    /// <summary>True when it is to drain.</summary>
    public bool Drains(SiloReport silo) => OrderFor(silo)?.Drains(silo.Incarnation) == true;

    /// <summary>True when it serves that role and goes on doing so.</summary>
    public bool Serves(SiloReport silo, SiloRoles role)
        => silo.State == SiloState.Active && (silo.Roles & RolesOf(silo) & role) == role && !Drains(silo);

    /// <summary>True when it does not do yet what it was ordered.</summary>
    public bool IsChanging(SiloReport silo)
        => silo.State is SiloState.Active or SiloState.Draining or SiloState.Drained && silo.Trouble is null
            && (silo.Roles != RolesOf(silo) || Drains(silo) == (silo.State == SiloState.Active));

    /// <summary>The newest order for it; null when there is none.</summary>
    public SiloOrder? OrderFor(SiloReport silo) => _orders.GetValueOrDefault(silo.Name);
}
