using CSsl.Grains.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;

namespace CSsl.Silo.Sessions;

/// <summary>
/// Makes the sessions of this silo that stay known to the cluster (<see cref="IDataGrain"/>).
/// </summary>
/// <remarks>A session that is over within a second, as most are, never costs a grain call; and none waits for one.</remarks>
internal sealed partial class SessionRegistrar(SessionTable sessions, IGrainFactory grains, TimeProvider time, ILogger<SessionRegistrar> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a registration is relied on: a grain that nobody calls is deactivated after 15 minutes, and any grain may be when a silo leaves.</summary>
    internal static readonly TimeSpan Renewal = TimeSpan.FromMinutes(1);

    private const int CallsAtOnce = 32;

    /// <summary>When each was registered last.</summary>
    private readonly Dictionary<IServedSession, DateTimeOffset> _registered = [];
    private bool _failing;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await SweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var stay = new List<IServedSession>();
        foreach (var session in sessions.All)
        {
            if (_registered.TryGetValue(session, out var registered) ? now - registered >= Renewal : now - session.Info.AttachedAt >= Interval)
                stay.Add(session);
        }

        var gone = _registered.Keys.Where(session => !sessions.TryGet(session.Info.SessionId, out var current) || current != session).ToList();
        var options = new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(gone, options, async (session, ct) => await TryAsync(() => DetachAsync(session, ct)));
        await Parallel.ForEachAsync(stay, options, async (session, ct) => await TryAsync(() => AttachAsync(session, now, ct)));
    }

    private async Task AttachAsync(IServedSession session, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // False: an activation where the session was before is on its way out. The next sweep tries again.
        if (await grains.GetGrain<IDataGrain>(session.Info.SessionId).Attached(session.Info, cancellationToken))
        {
            lock (_registered)
                _registered[session] = now;
        }
    }

    private async Task DetachAsync(IServedSession session, CancellationToken cancellationToken)
    {
        lock (_registered)
            _registered.Remove(session);
        await grains.GetGrain<IDataGrain>(session.Info.SessionId).Detached(session.Info, cancellationToken);
    }

    private async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
            if (_failing)
                LogWorksAgain();
            _failing = false;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            if (!_failing)
                LogFailed(e);
            _failing = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "sessions of this silo can't be made known to the cluster; they are served all the same")]
    private partial void LogFailed(Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "sessions of this silo are made known to the cluster again")]
    private partial void LogWorksAgain();
}
