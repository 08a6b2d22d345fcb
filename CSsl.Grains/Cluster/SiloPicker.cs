namespace CSsl.Grains.Cluster;

/// <summary>
/// Chooses a silo for a role: of two active ones taken at random, the less busy (power of two choices). Reads the local
/// snapshot only; never waits. Thread-safe.
/// </summary>
/// <remarks>Always the least busy one would get everybody's connections between two of its reports; two at random don't herd,
/// and come close to the best in the balance that they keep (Mitzenmacher, "The Power of Two Choices", 2001).</remarks>
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
    public void Refresh() => OnViewChanged(_view.Current);

    /// <inheritdoc/>
    public void Dispose() => _view.Changed -= OnViewChanged;

    private void OnViewChanged(ClusterView view)
    {
        lock (_gate)
        {
            var known = _candidates;
            var usable = view.Silos.Where(silo => silo.State == SiloState.Active && _reachable(silo)).ToList();
            _candidates = new Candidates(Next(known.Handshake, usable, SiloRoles.Handshake), Next(known.Data, usable, SiloRoles.Data));
        }
    }

    private Candidate[] Next(Candidate[] known, List<SiloReport> usable, SiloRoles role)
    {
        var now = _time.GetTimestamp();
        var byName = known.ToDictionary(static candidate => candidate.Report.Name);
        return [.. usable.Where(silo => (silo.Roles & role) != 0).Select(silo =>
            byName.TryGetValue(silo.Name, out var candidate) && candidate.Report == silo && _time.GetElapsedTime(candidate.Since, now) < ChoiceLife
                ? candidate
                : new Candidate(silo, role, now))];
    }

    private sealed record Candidates(Candidate[] Handshake, Candidate[] Data);

    /// <summary>A silo, as of one report of it.</summary>
    private sealed class Candidate(SiloReport report, SiloRoles role, long since)
    {
        private readonly double _base = LoadScore.Of(report.Load, role);
        private readonly double _perChoice = LoadScore.PerChoice(role);
        private int _choices;

        public SiloReport Report { get; } = report;

        public long Since { get; } = since;

        public double Score => _base + (Volatile.Read(ref _choices) * _perChoice);

        public void Choose() => Interlocked.Increment(ref _choices);
    }
}
