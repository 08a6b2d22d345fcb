namespace CSsl.Grains.Cluster;

/// <summary>
/// Chooses a silo for a role: of two active ones taken at random, the less busy (power of two choices). Reads the local
/// snapshot only; never waits. Thread-safe.
/// </summary>
/// <remarks>
/// Always the least busy one would get everybody's connections between two of its reports; two at random don't herd,
/// and come close to the best in the balance that they keep (Mitzenmacher, "The Power of Two Choices", 2001).
/// <para>That holds for fresh information. Between two reports it is old, and who was idle gets work from every gateway: with a step per
/// choice that is too small, all of it for half a second, and then none. So the step follows from what was seen: if last time n choices went with a load of u,
/// a choice counts as 2u/n. In the next interval a silo then gets less by half of what it had too much, whatever a connection costs and however many gateways there are.</para>
/// </remarks>
public sealed class SiloPicker : IDisposable
{
    /// <summary>A silo's choices count until its next report, but no longer than this when reports stay away.</summary>
    private static readonly TimeSpan ChoiceLife = TimeSpan.FromSeconds(1);

    private readonly ClusterViewHolder _view;
    private readonly Func<SiloReport, bool> _reachable;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Lock _gate = new();
    private volatile Candidates _candidates = new([], []);
    private double _handshakeStep = LoadScore.PerChoice(SiloRoles.Handshake);
    private double _dataStep = LoadScore.PerChoice(SiloRoles.Data);

    /// <param name="view">The snapshot.</param>
    /// <param name="reachable">Says whether a silo can be reached from here; <see cref="Refresh"/> when an answer changes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">For tests; null takes the shared one.</param>
    public SiloPicker(ClusterViewHolder view, Func<SiloReport, bool> reachable, TimeProvider time, Random? random = null)
    {
        _view = view;
        _reachable = reachable;
        _time = time;
        _random = random ?? Random.Shared;
        _view.Changed += OnViewChanged;
        Refresh();
    }

    /// <summary>A silo for <paramref name="role"/> (exactly one role), or null when there is none: refuse, clearly.</summary>
    /// <param name="role">What it is to do.</param>
    /// <param name="except">Names of silos that were tried already.</param>
    public SiloReport? Pick(SiloRoles role, IReadOnlyCollection<string>? except = null)
    {
        var candidates = role == SiloRoles.Handshake ? _candidates.Handshake : _candidates.Data;
        if (except is { Count: > 0 })
            candidates = Array.FindAll(candidates, candidate => !except.Contains(candidate.Report.Name));
        if (candidates.Length == 0)
            return null;

        var choice = candidates[_random.Next(candidates.Length)];
        if (candidates.Length > 1)
        {
            var other = candidates[_random.Next(candidates.Length - 1)];
            if (ReferenceEquals(other, choice))
                other = candidates[^1];
            choice = other.Score < choice.Score ? other : choice;
        }

        choice.Choose();
        return choice.Report;
    }

    /// <summary>True when <see cref="Pick"/> would find a silo.</summary>
    public bool CanPick(SiloRoles role) => (role == SiloRoles.Handshake ? _candidates.Handshake : _candidates.Data).Length > 0;

    /// <summary>Looks again who can be reached.</summary>
    public void Refresh()
    {
        lock (_gate)
        {
            // Read behind the gate: who comes late must not bring an older view back.
            var view = _view.Current;
            var known = _candidates;
            var usable = view.Silos.Where(silo => silo.State == SiloState.Active && _reachable(silo)).ToList();
            _candidates = new Candidates(
                Next(known.Handshake, usable, SiloRoles.Handshake, ref _handshakeStep), Next(known.Data, usable, SiloRoles.Data, ref _dataStep));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _view.Changed -= OnViewChanged;

    private void OnViewChanged(ClusterView view) => Refresh();

    private Candidate[] Next(Candidate[] known, List<SiloReport> usable, SiloRoles role, ref double step)
    {
        var now = _time.GetTimestamp();
        var byName = known.ToDictionary(static candidate => candidate.Report.Name);
        var fit = usable.FindAll(silo => (silo.Roles & role) != 0);
        step = Step(known, fit, role, now, step);
        var next = new Candidate[fit.Count];
        for (var i = 0; i < next.Length; i++)
        {
            var silo = fit[i];
            next[i] = byName.TryGetValue(silo.Name, out var candidate) && IsFresh(candidate, silo, now) ? candidate : new Candidate(silo, role, step, now);
        }

        return next;
    }

    /// <summary>What a choice counts for until the next report; half of it as it was, because an interval is a small sample.</summary>
    private double Step(Candidate[] known, List<SiloReport> fit, SiloRoles role, long now, double step)
    {
        var reports = fit.ToDictionary(static silo => silo.Name);
        var (replaced, choices) = (0, 0);
        foreach (var candidate in known)
        {
            if (reports.TryGetValue(candidate.Report.Name, out var report) && !IsFresh(candidate, report, now))
                (replaced, choices) = (replaced + 1, choices + candidate.Choices);
        }

        if (replaced == 0 || choices == 0)
            return step;
        var seen = 2 * fit.Average(silo => LoadScore.Of(silo.Load, role)) * replaced / choices;
        return Math.Clamp((step + seen) / 2, LoadScore.PerChoice(role), LoadScore.MostPerChoice);
    }

    private bool IsFresh(Candidate candidate, SiloReport report, long now)
        => (ReferenceEquals(candidate.Report, report) || candidate.Report == report) && _time.GetElapsedTime(candidate.Since, now) < ChoiceLife;

    private sealed record Candidates(Candidate[] Handshake, Candidate[] Data);

    /// <summary>A silo, as of one report of it.</summary>
    private sealed class Candidate(SiloReport report, SiloRoles role, double step, long since)
    {
        private readonly double _base = LoadScore.Of(report.Load, role);
        private int _choices;

        public SiloReport Report { get; } = report;

        public long Since { get; } = since;

        public int Choices => Volatile.Read(ref _choices);

        public double Score => _base + (Choices * step);

        public void Choose() => Interlocked.Increment(ref _choices);
    }
}
