namespace CSsl.Grains.Cluster;

/// <summary>One process as its last report showed it.</summary>
internal sealed record Member<TReport>(string Name, Guid Incarnation, DateTimeOffset StartedAt, DateTimeOffset ReportedAt, TReport Report);

/// <summary>The processes of one kind in a <see cref="ClusterRoster"/>, by name.</summary>
/// <param name="silenced">How a report is shown once its process is silent.</param>
/// <param name="isLeaving">Whose silence means that it is gone, as it said.</param>
internal sealed class RosterSection<TReport>(Func<TReport, TReport> silenced, Func<TReport, bool> isLeaving)
{
    private readonly SortedDictionary<string, Member<TReport>> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _silent = new(StringComparer.Ordinal);
    private bool _changed;

    public void Put(Member<TReport> member)
    {
        if (_members.TryGetValue(member.Name, out var known))
        {
            if (known.Incarnation != member.Incarnation && known.StartedAt > member.StartedAt)
                return;
        }
        else if (_members.Count >= ClusterRoster.MaxMembers)
        {
            throw new InvalidOperationException($"The cluster has {ClusterRoster.MaxMembers} processes of this kind already.");
        }

        _members[member.Name] = member;
        _silent.Remove(member.Name);
        _changed = true;
    }

    /// <summary>The last report of a process; the default when there is none.</summary>
    public TReport? Find(string name) => _members.TryGetValue(name, out var member) ? member.Report : default;

    /// <summary>Marks who is silent and drops who is gone. True when the section is not what it was at the last call.</summary>
    public bool Age(DateTimeOffset now)
    {
        List<string>? gone = null;
        foreach (var member in _members.Values)
        {
            var quiet = now - member.ReportedAt;
            if (quiet >= (isLeaving(member.Report) ? ClusterRoster.SilentAfter : ClusterRoster.DropAfter))
                (gone ??= []).Add(member.Name);
            else if (quiet >= ClusterRoster.SilentAfter)
                _changed |= _silent.Add(member.Name);
        }

        foreach (var name in gone ?? [])
        {
            _members.Remove(name);
            _silent.Remove(name);
            _changed = true;
        }

        var changed = _changed;
        _changed = false;
        return changed;
    }

    /// <summary>The reports by name.</summary>
    public TReport[] Snapshot() => [.. _members.Values.Select(member => _silent.Contains(member.Name) ? silenced(member.Report) : member.Report)];
}
