using System.Diagnostics.CodeAnalysis;
using CSsl.EmbeddedCluster.Activations;
using CSsl.EmbeddedCluster.Calls;
using CSsl.EmbeddedCluster.Wire;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>Where an activation is.</summary>
internal readonly record struct Location(SiloAddress Silo, long Number);

/// <summary>
/// This silo's part of the directory: the grains whose keys it owns. When it becomes the owner of more keys, it first asks
/// every silo for its activations of them, and answers nothing until it has heard from all that live.
/// </summary>
internal sealed partial class GrainDirectory(Membership membership, Catalog catalog, SiloTransport transport, TimeSpan askTimeout, TimeProvider time, ILogger log, CancellationToken stopped)
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly Dictionary<GrainId, Location> _entries = [];
    private Task _recovered = Task.CompletedTask;

    public required SiloAddress Self { get; init; }

    /// <summary>Follows a change of the membership.</summary>
    public void OnChanged(ClusterSnapshot before, ClusterSnapshot after)
    {
        var others = after.Active.Select(static m => m.Address).Where(a => !a.Equals(Self)).ToHashSet();
        var gains = after.StatusOf(Self) == SiloStatus.Active
            && (before.StatusOf(Self) != SiloStatus.Active || before.Active.Any(m => !m.Address.Equals(Self) && !others.Contains(m.Address)));
        lock (_gate)
        {
            foreach (var (grain, location) in _entries)
            {
                if (!after.IsAlive(location.Silo) || !Self.Equals(after.OwnerOf(grain.Key)))
                    _entries.Remove(grain);
            }
            if (gains)
            {
                var recovery = Task.Run(() => RecoverAsync(after));
                _recovered = _recovered.IsCompleted ? recovery : Task.WhenAll(_recovered, recovery);
            }
        }
    }

    /// <summary>Enters an activation. The answer says who has the grain instead, or that this silo is not the one to ask.</summary>
    public async ValueTask<RegisterAnswer> RegisterAsync(GrainId grain, Location location)
    {
        await RecoveredAsync().ConfigureAwait(false);
        lock (_gate)
        {
            var view = membership.Current;
            if (!Self.Equals(view.OwnerOf(grain.Key)))
                return new RegisterAnswer { IsOwner = false };

            // A new activation on the same silo has outlived the one before.
            if (_entries.TryGetValue(grain, out var known) && !known.Silo.Equals(location.Silo) && view.IsAlive(known.Silo))
                return new RegisterAnswer { IsOwner = true, Elsewhere = known.Silo.ToParsableString() };
            _entries[grain] = location;
            return new RegisterAnswer { IsOwner = true };
        }
    }

    public void Unregister(GrainId grain, Location location)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(grain, out var known) && known == location)
                _entries.Remove(grain);
        }
    }

    /// <summary>The silo that has the grain; null when none has.</summary>
    public async ValueTask<SiloAddress?> LookupAsync(GrainId grain)
    {
        await RecoveredAsync().ConfigureAwait(false);
        lock (_gate)
            return _entries.TryGetValue(grain, out var known) ? known.Silo : null;
    }

    private Task RecoveredAsync()
    {
        lock (_gate)
            return _recovered;
    }

    private async Task RecoverAsync(ClusterSnapshot view)
    {
        var asked = view.Alive.Select(static m => m.Address).Where(a => !a.Equals(Self)).Select(AskAsync);
        var answers = await Task.WhenAll(asked).ConfigureAwait(false);
        var own = catalog.Claims(Self, membership.Current, Self);
        foreach (var (grain, location) in answers.SelectMany(static a => a).Concat(own))
        {
            bool isDouble;
            lock (_gate)
                isDouble = !_entries.TryAdd(grain, location) && _entries[grain] != location;
            if (isDouble)
                await EvictAsync(grain, location).ConfigureAwait(false);
        }
    }

    /// <summary>A silo's activations that this one is now the owner of. Asks again until it answers or is dead.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever went wrong, the silo is asked again for as long as it counts as alive.")]
    private async Task<IEnumerable<(GrainId, Location)>> AskAsync(SiloAddress silo)
    {
        while (membership.Current.IsAlive(silo) && !stopped.IsCancellationRequested)
        {
            try
            {
                var answer = await transport.SendAsync<RecoverAnswer>(silo, Operations.Recover, new RecoverMessage { Owner = Self.ToParsableString() }, askTimeout, stopped).ConfigureAwait(false);
                return answer.Entries.Select(e => (new GrainId(e.Class, new GrainKey(e.Key)), new Location(silo, e.Number)));
            }
            catch (Exception e)
            {
                LogAskFailed(log, silo, e.Message);
                await Task.Delay(AskAgain, time).ConfigureAwait(false);
            }
        }
        return [];
    }

    /// <summary>Two silos activated the grain while the membership changed: the one that came second gives it up.</summary>
    private async Task EvictAsync(GrainId grain, Location location)
    {
        LogDouble(log, grain, location.Silo);
        if (location.Silo.Equals(Self))
        {
            catalog.Evict(grain, location.Number);
            return;
        }
        try
        {
            var entry = new DirectoryEntry { Class = grain.Class, Key = grain.Key.Text, Silo = location.Silo.ToParsableString(), Number = location.Number };
            await transport.SendAsync<Empty>(location.Silo, Operations.Evict, entry, askTimeout, stopped).ConfigureAwait(false);
        }
        catch (Exception e) when (e is UndeliveredException or OrleansException or TimeoutException or OperationCanceledException)
        {
            LogAskFailed(log, location.Silo, e.Message);
        }
    }

    [LoggerMessage(30, LogLevel.Debug, "Silo {Silo} does not answer the directory: {Reason}")]
    private static partial void LogAskFailed(ILogger logger, SiloAddress silo, string reason);

    [LoggerMessage(31, LogLevel.Warning, "Grain {Grain} was active twice; silo {Silo} gives it up.")]
    private static partial void LogDouble(ILogger logger, GrainId grain, SiloAddress silo);
}
