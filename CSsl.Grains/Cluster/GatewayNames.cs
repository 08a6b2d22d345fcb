namespace CSsl.Grains.Cluster;

/// <summary>
/// Which of two gateways has a name. One that was killed and is started again finds its own last report, which proves nothing: so the newcomer is taken at once. It is a
/// duplicate if the one that it followed reports once more: then that one gets its name back, and the newcomer is refused. Not thread-safe.
/// </summary>
/// <remarks>Who was there first stays, whatever clocks say. What a killed gateway had sent may arrive late and speak for it; then its successor ends, and is started again.</remarks>
internal sealed class GatewayNames(TimeProvider time)
{
    /// <summary>By the name: who had it before its owner, and may still live.</summary>
    private readonly Dictionary<string, (Guid Incarnation, long FollowedAt)> _followed = new(StringComparer.Ordinal);

    /// <summary>Gateways that have to end, with the time of their last report.</summary>
    private readonly Dictionary<Guid, long> _refused = [];

    /// <summary>True when the report is to be taken; false for one of a gateway that leaves, whose name another has.</summary>
    /// <param name="report">What a gateway says.</param>
    /// <param name="owner">The last report that was taken under that name; null: there is none.</param>
    /// <exception cref="DuplicateNameException">The owner lives: says who it is.</exception>
    public bool Claim(GatewayReport report, GatewayReport? owner)
    {
        if (owner is null || owner.Incarnation == report.Incarnation || owner.State is SiloState.Draining or SiloState.Silent)
        {
            _refused.Remove(report.Incarnation);
            return true;
        }

        if (report.State == SiloState.Draining)
            return false;
        var now = time.GetTimestamp();
        if (_refused.ContainsKey(report.Incarnation))
        {
            _refused[report.Incarnation] = now;
            throw new DuplicateNameException($"a gateway with the name {report.Name} lives already (process {owner.ProcessId}): names are unique in a cluster (Gateway:Name)");
        }

        if (!_followed.TryGetValue(report.Name, out var before))
            _followed[report.Name] = (owner.Incarnation, now);
        else if (before.Incarnation == report.Incarnation)
        {
            _followed.Remove(report.Name);
            if (_refused.Count < ClusterRoster.MaxMembers)
                _refused[owner.Incarnation] = now;
        }

        return true;
    }

    /// <summary>Forgets who has been silent for so long that it can't be alive, or has ended as it was told.</summary>
    public void Age()
    {
        foreach (var (name, _) in _followed.Where(pair => time.GetElapsedTime(pair.Value.FollowedAt) >= ClusterRoster.SilentAfter).ToList())
            _followed.Remove(name);
        foreach (var (incarnation, _) in _refused.Where(pair => time.GetElapsedTime(pair.Value) >= ClusterRoster.DropAfter).ToList())
            _refused.Remove(incarnation);
    }
}
