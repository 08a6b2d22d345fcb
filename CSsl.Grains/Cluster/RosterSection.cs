namespace CSsl.Grains.Cluster;

/// <summary>One process: its last report, whom to push to, and when it was heard.</summary>
internal sealed record Member<TReport, TObserver>(string Name, TReport Report, TObserver? Observer, long HeardAt);

/// <summary>What is different in a <see cref="RosterSection{TReport, TObserver}"/> from what was published before.</summary>
/// <param name="Changed">With the report that was published before; null: it is new.</param>
/// <param name="Gone">Names.</param>
internal sealed record SectionChange<TReport>(IReadOnlyList<(TReport Report, TReport? Before)> Changed, IReadOnlyList<string> Gone);

/// <summary>The processes of one kind in a <see cref="ClusterRoster"/>, by name: as they are, and as they were published last.</summary>
/// <param name="patience">How long a change of a report may wait.</param>
/// <param name="time">The clock.</param>
internal sealed class RosterSection<TReport, TObserver>(Func<TReport, TReport, TimeSpan?> patience, TimeProvider time)
    where TReport : class
    where TObserver : class
{
    private readonly SortedDictionary<string, Member<TReport, TObserver>> _members = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TReport> _published = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _waiting = new(StringComparer.Ordinal);

    public IReadOnlyCollection<Member<TReport, TObserver>> Members => _members.Values;

    /// <summary>The timestamp until which the changes that wait may do so; null: there are none.</summary>
    public long? DueAt { get; private set; }

    public Member<TReport, TObserver>? Find(string name) => _members.GetValueOrDefault(name);

    public TReport? FindPublished(string name) => _published.GetValueOrDefault(name);

    /// <exception cref="InvalidOperationException">There are too many processes.</exception>
    public void Put(Member<TReport, TObserver> member)
    {
        if (!_members.ContainsKey(member.Name) && _members.Count >= ClusterRoster.MaxMembers)
            throw new InvalidOperationException($"The cluster has {ClusterRoster.MaxMembers} processes of this kind already.");
        _members[member.Name] = member;
        if ((_published.TryGetValue(member.Name, out var known) ? patience(known, member.Report) : ReportChange.Urgent) is { } mayWait)
            Wait(member.Name, mayWait);
    }

    public void Remove(string name)
    {
        _members.Remove(name);
        Wait(name, ReportChange.Urgent);
    }

    /// <summary>Publishes what waits.</summary>
    public SectionChange<TReport> Publish()
    {
        List<(TReport, TReport?)> changed = [];
        List<string> gone = [];
        foreach (var name in _waiting)
        {
            _published.TryGetValue(name, out var before);
            if (_members.TryGetValue(name, out var member))
                changed.Add((_published[name] = member.Report, before));
            else if (_published.Remove(name))
                gone.Add(name);
        }

        _waiting.Clear();
        DueAt = null;
        return new SectionChange<TReport>(changed, gone);
    }

    private void Wait(string name, TimeSpan mayWait)
    {
        _waiting.Add(name);
        var dueAt = time.GetTimestamp() + (long)(mayWait.TotalSeconds * time.TimestampFrequency);
        DueAt = DueAt is { } earlier && earlier < dueAt ? earlier : dueAt;
    }
}
