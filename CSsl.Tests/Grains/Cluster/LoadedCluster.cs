using CSsl.Grains.Cluster;
using CSsl.Tests.Support;

namespace CSsl.Tests.Grains.Cluster;

/// <summary>A cluster of silos with one core each that share the load of a role equally, and carry out orders half a second later.</summary>
internal sealed class LoadedCluster
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(0.25);

    private ClusterView _view;
    private PlannerHistory _history = PlannerHistory.Empty;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
    private DateTimeOffset _nextReport = DateTimeOffset.UnixEpoch;

    /// <param name="size">Half of them handshake silos, the rest data silos.</param>
    public LoadedCluster(int size)
    {
        const SiloRoles Both = SiloRoles.Handshake | SiloRoles.Data;
        _view = Reports.View(1, [.. Enumerable.Range(0, size).Select(i =>
        {
            var roles = i % 2 == 0 ? SiloRoles.Handshake : SiloRoles.Data;
            return Reports.Silo($"silo-{i:00}", roles, incarnation: Guid.NewGuid()) with { StartRoles = roles, CapableRoles = Both, Mode = RoleMode.Auto };
        })]);
    }

    /// <summary>What the handshakes ask for, in cores.</summary>
    public double HandshakeCores { get; set; }

    /// <summary>What the bytes ask for, in cores.</summary>
    public double DataCores { get; set; }

    public List<RoleChange> Changes { get; } = [];

    public int CountOf(SiloRoles role) => _view.Silos.Count(silo => silo.Roles.HasFlag(role));

    /// <summary>Cores asked for per silo with the role.</summary>
    public double PressureOf(SiloRoles role) => (role == SiloRoles.Handshake ? HandshakeCores : DataCores) / CountOf(role);

    public void Run(TimeSpan time)
    {
        for (var end = _now + time; _now < end; _now += Step)
        {
            if (_now >= _nextReport)
                Report();
            var plan = RolePlanner.Plan(_view, _history, new RolePlannerOptions(), _now);
            _history = plan.History;
            Changes.AddRange(plan.Changes);
            _view = _view with
            {
                Orders =
                [
                    .. _view.Orders.Where(order => plan.Changes.All(change => change.Silo != order.Silo)),
                    .. plan.Changes.Select(change => new SiloOrder { Silo = change.Silo, Version = 1, Roles = change.To, By = OrderedBy.Planner }),
                ],
            };
        }
    }

    private void Report()
    {
        _nextReport = _now + (2 * Step);
        var desired = new DesiredState(_view);
        _view = _view with { Silos = [.. _view.Silos.Select(silo => silo with { Roles = desired.RolesOf(silo) })] };
        _view = _view with { Silos = [.. _view.Silos.Select(silo => silo with { Load = LoadOf(silo.Roles) })] };
    }

    private SiloLoad LoadOf(SiloRoles roles)
    {
        var handshake = roles.HasFlag(SiloRoles.Handshake) ? PressureOf(SiloRoles.Handshake) : 0;
        var data = roles.HasFlag(SiloRoles.Data) ? PressureOf(SiloRoles.Data) : 0;
        return new SiloLoad
        {
            CpuAllowance = 1,
            ProcessCpu = Math.Min(1, handshake + data),

            // A queue grows without end where more comes than is done.
            HandshakeQueue = handshake > 1 ? 500 : 0,
            HandshakeTime = handshake > 1 ? 1 : 0.001,
            SchedulingDelay = data > 1 ? 1 : 0.001,
        };
    }
}
