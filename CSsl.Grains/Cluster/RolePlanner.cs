using System.Globalization;

namespace CSsl.Grains.Cluster;

/// <summary>
/// Moves silos between roles when the load is one-sided: a pure function of the view and a short history, so that it can be tested
/// and simulated for thousands of silos.
/// </summary>
/// <remarks>
/// Three rules, the first that applies: a role with fewer silos than its minimum gets one more, beside what that silo does already; a role that has
/// been hot for a while gets silos of the other one, as many as that one can spare; silos that were moved go back once the role would be calm
/// without them. A role never gives a silo away below its minimum. Only silos in mode <see cref="RoleMode.Auto"/> are touched. After a
/// change nothing happens until its effect can be seen, and what comes back too early stays away longer the next time: constant load ends in rest.
/// </remarks>
public static class RolePlanner
{
    /// <summary>What is left of a backlog after <see cref="RolePlannerOptions.Sustain"/> when it will be gone in a few seconds.</summary>
    private const double CatchingUp = 0.85;

    private static readonly SiloRoles[] Roles = [SiloRoles.Handshake, SiloRoles.Data];

    /// <summary>What is to be changed now.</summary>
    /// <param name="view">The cluster; while it is <see cref="ClusterView.Settling"/> nothing is changed.</param>
    /// <param name="history">Of the last call.</param>
    /// <param name="options">When to act.</param>
    /// <param name="now">The time.</param>
    public static RolePlan Plan(ClusterView view, PlannerHistory history, RolePlannerOptions options, DateTimeOffset now)
    {
        if (view.Settling)
            return new RolePlan([], history);

        var situation = new Situation(view, options, now);
        history = ObserveWaiting(RolePool.WaitingIn(view), history, options, now);
        foreach (var role in Roles)
            history = history.With(role, Observe(situation.Pool(role), history.Of(role), role == SiloRoles.Handshake && history.IsCatchingUp, options, now));

        var changes = Repair(situation, history);
        if (changes.Count == 0 && MayMove(situation, history))
            changes = Reinforce(situation, ref history);
        if (changes.Count == 0 && MayMove(situation, history))
            changes = GiveBack(situation, ref history);
        return new RolePlan(changes, changes.Count > 0 ? Changed(history, now) : history);
    }

    // Silos that catch up with a backlog are as busy as can be, and enough: more of them would come for nothing.
    private static PlannerHistory ObserveWaiting(int waiting, PlannerHistory known, RolePlannerOptions options, DateTimeOffset now)
    {
        var next = known with { IsCatchingUp = waiting > 0 && waiting < known.Waiting * CatchingUp };
        return now - known.WaitingAt < options.Sustain ? next : next with { Waiting = waiting, WaitingAt = now };
    }

    private static RoleHistory Observe(RolePool pool, RoleHistory known, bool isCatchingUp, RolePlannerOptions options, DateTimeOffset now) => known with
    {
        HotSince = pool.IsHot && !isCatchingUp ? known.HotSince ?? now : null,
        CalmSince = pool.Spare(options.Calm) > 0 ? known.CalmSince ?? now : null,
        MissingSince = pool.Count < pool.Minimum ? known.MissingSince ?? now : null,
        EarlyReturns = known.ReturnedAt is { } at && now - at > options.LongestReturn ? 0 : known.EarlyReturns,
    };

    private static bool MayMove(Situation situation, PlannerHistory history)
    {
        if (history.ChangedAt is not { } at)
            return true;
        var since = situation.Now - at;
        return since >= (situation.IsChanging ? situation.Options.Patience : situation.Options.Settle);
    }

    private static List<RoleChange> Repair(Situation situation, PlannerHistory history)
    {
        var changes = new List<RoleChange>();
        foreach (var role in Roles)
        {
            var pool = situation.Pool(role);
            if (!Lasts(history.Of(role).MissingSince, situation.Options.Missing, situation.Now))
                continue;
            var helpers = situation.Movable(role).Where(silo => !changes.Exists(change => change.Silo == silo.Name)).Take(pool.Minimum - pool.Count - situation.Coming(role));
            changes.AddRange(helpers.Select(silo => new RoleChange(silo.Name, silo.Roles, silo.Roles | role,
                $"{(pool.Count == 0 ? "no silo has" : $"only {pool.Count} of {pool.Minimum} silos have")} the role {CommandCheck.Name(role)}")));
        }

        return changes;
    }

    private static List<RoleChange> Reinforce(Situation situation, ref PlannerHistory history)
    {
        foreach (var role in Roles.OrderByDescending(role => situation.Pool(role).Pressure))
        {
            var (hot, other) = (situation.Pool(role), situation.Pool(Other(role)));
            if (hot.Count == 0 || !Lasts(history.Of(role).HotSince, situation.Options.Sustain, situation.Now))
                continue;

            var movable = situation.Movable(role).Where(silo => (silo.Roles & role) == 0).ToList();
            var idle = movable.Where(static silo => silo.Roles == SiloRoles.None);
            var lent = movable.Where(silo => silo.Roles == other.Role).Take(other.Spare(situation.Options.Target));
            var chosen = idle.Concat(lent).Take(hot.Wanted).ToList();
            if (chosen.Count == 0)
                continue;

            var known = history.Of(role);
            var wasEarly = known.ReturnedAt is { } at && situation.Now - at < 2 * ReturnAfter(known, situation.Options);
            history = history.With(role, known with { EarlyReturns = wasEarly ? known.EarlyReturns + 1 : known.EarlyReturns });
            var reason = $"{hot} for {Seconds(situation.Now - known.HotSince!.Value)}; {other}";
            return [.. chosen.Select(silo => new RoleChange(silo.Name, silo.Roles, role, reason))];
        }

        return [];
    }

    private static List<RoleChange> GiveBack(Situation situation, ref PlannerHistory history)
    {
        foreach (var role in Roles)
        {
            var pool = situation.Pool(role);
            var known = history.Of(role);
            var after = ReturnAfter(known, situation.Options);
            if (!Lasts(known.CalmSince, after, situation.Now))
                continue;

            var back = situation.LentTo(role).Take(pool.Spare(situation.Options.Calm)).ToList();
            if (back.Count == 0)
                continue;

            history = history.With(role, known with { ReturnedAt = situation.Now });
            return [.. back.Select(silo => new RoleChange(silo.Name, silo.Roles, (silo.Roles & ~role) | silo.StartRoles, $"{pool}, calm for {Seconds(situation.Now - known.CalmSince!.Value)}"))];
        }

        return [];
    }

    // What was seen before a change says nothing about after.
    private static PlannerHistory Changed(PlannerHistory history, DateTimeOffset now)
    {
        foreach (var role in Roles)
            history = history.With(role, history.Of(role) with { HotSince = null, CalmSince = null, MissingSince = null });
        return history with { ChangedAt = now };
    }

    private static TimeSpan ReturnAfter(RoleHistory history, RolePlannerOptions options)
    {
        var after = options.Return * Math.Pow(2, Math.Min(history.EarlyReturns, 30));
        return after < options.LongestReturn ? after : options.LongestReturn;
    }

    private static bool Lasts(DateTimeOffset? since, TimeSpan time, DateTimeOffset now) => since is { } at && now - at >= time;

    private static SiloRoles Other(SiloRoles role) => role == SiloRoles.Handshake ? SiloRoles.Data : SiloRoles.Handshake;

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    /// <summary>A view as the rules look at it.</summary>
    private sealed class Situation(ClusterView view, RolePlannerOptions options, DateTimeOffset now)
    {
        private readonly DesiredState _desired = new(view);
        private RolePool? _handshake;
        private RolePool? _data;

        public RolePlannerOptions Options => options;

        public DateTimeOffset Now => now;

        /// <summary>An order of roles is on its way.</summary>
        public bool IsChanging => view.Silos.Any(_desired.IsChanging);

        public RolePool Pool(SiloRoles role) => role == SiloRoles.Handshake
            ? _handshake ??= new RolePool(role, view, _desired, options)
            : _data ??= new RolePool(role, view, _desired, options);

        /// <summary>Silos that could take a role and don't have it, the idlest first.</summary>
        public IEnumerable<SiloReport> Movable(SiloRoles role)
            => Free().Where(silo => (silo.Roles & role) == 0 && (silo.CapableRoles & role) == role)
                .OrderBy(static silo => silo.Load.Utilisation).ThenBy(static silo => silo.Load.Connections).ThenBy(static silo => silo.Name, StringComparer.Ordinal);

        /// <summary>Silos that have a role by the planner's own order only.</summary>
        public IEnumerable<SiloReport> LentTo(SiloRoles role)
            => Free().Where(silo => (silo.Roles & role) == role && (silo.StartRoles & role) == 0 && _desired.OrderFor(silo) is { By: OrderedBy.Planner })
                .OrderBy(static silo => silo.Load.Utilisation).ThenBy(static silo => silo.Name, StringComparer.Ordinal);

        /// <summary>Silos that were ordered a role and don't have it yet.</summary>
        public int Coming(SiloRoles role) => view.Silos.Count(silo =>
            silo.State is SiloState.Active or SiloState.Joining && silo.Trouble is null && (_desired.RolesOf(silo) & ~silo.Roles & role) == role && !_desired.Drains(silo));

        private IEnumerable<SiloReport> Free() => view.Silos.Where(silo =>
            silo.State == SiloState.Active && silo.Trouble is null && _desired.ModeOf(silo) == RoleMode.Auto && !_desired.IsChanging(silo));
    }
}
