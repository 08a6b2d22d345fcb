namespace CSsl.Cli.Up;

/// <summary>The processes of a local cluster. They come and go while it runs; thread-safe.</summary>
internal sealed class Supervisors(PrefixedOutput output, bool restart) : IDisposable
{
    /// <summary>What a process gets beyond its own time before it is killed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly List<Supervisor> _all = [];
    private bool _isStopping;

    /// <summary>As they are now.</summary>
    public IReadOnlyList<Supervisor> All
    {
        get
        {
            lock (_gate)
                return [.. _all];
        }
    }

    /// <summary>One more, which is not started yet.</summary>
    /// <returns>Null when there is one of that name.</returns>
    /// <exception cref="OperationCanceledException">The cluster stops.</exception>
    public Supervisor? TryAdd(ChildSpec spec)
    {
        lock (_gate)
        {
            if (_isStopping)
                throw new OperationCanceledException("The cluster stops.");
            if (_all.Exists(supervisor => supervisor.Spec.Name == spec.Name))
                return null;
            var supervisor = new Supervisor(spec, output, restart, TimeProvider.System);
            _all.Add(supervisor);
            return supervisor;
        }
    }

    /// <summary>Stops one and forgets it.</summary>
    public async Task RemoveAsync(Supervisor supervisor, CancellationToken hurry)
    {
        await StopAsync(supervisor, hurry);
        lock (_gate)
            _all.Remove(supervisor);
        supervisor.Dispose();
    }

    /// <summary>Gateways first, so that no client is answered by a cluster that is half gone; then silos; then the origin.</summary>
    public async Task StopAsync(CancellationToken hurry)
    {
        lock (_gate)
            _isStopping = true;
        foreach (var stage in All.GroupBy(supervisor => supervisor.Spec.Stage).OrderBy(stage => stage.Key))
            await Task.WhenAll(stage.Select(supervisor => StopAsync(supervisor, hurry)));
    }

    private static Task StopAsync(Supervisor supervisor, CancellationToken hurry) => supervisor.StopAsync(supervisor.Spec.StopTime + Grace, hurry);

    public void Dispose()
    {
        foreach (var supervisor in All)
            supervisor.Dispose();
    }
}
