using CSsl.Grains.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using SiloOptions = CSsl.Hosting.Configuration.SiloOptions;

namespace CSsl.Silo.Sessions;

/// <summary>
/// Gives the sessions of this silo that last their grains (<see cref="ISessionGrain"/>): once a second it compares the two. A session whose grain is elsewhere, or was
/// deactivated, or does not know the session's last capsule, says so itself (<see cref="IServedSession.IsRegistered"/>), so that one at rest costs no call.
/// </summary>
/// <remarks>A session that is over within <see cref="SiloOptions.SessionGrainAfter"/>, as most are, never costs a grain call; and none waits for one.</remarks>
internal sealed partial class SessionRegistrar(SessionTable sessions, IGrainFactory grains, ILocalSiloDetails silo, IOptions<SiloOptions> options, TimeProvider time, ILogger<SessionRegistrar> logger)
    : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int CallsAtOnce = 32;

    /// <summary>Sessions that a grain was told of.</summary>
    private readonly HashSet<IServedSession> _told = [];
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
        var stay = sessions.All.Where(session => !session.IsRegistered && now - session.Info.AttachedAt >= options.Value.SessionGrainAfter).ToList();
        var gone = _told.Where(session => !sessions.TryGet(session.Info.SessionId, out var current) || current != session).ToList();
        _told.ExceptWith(gone);
        _told.UnionWith(stay);

        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(gone, atOnce, async (session, ct) => await TryAsync(() => Grain(session).Detached(session.Info, ct)));
        await Parallel.ForEachAsync(stay, atOnce, async (session, ct) => await TryAsync(() => AttachAsync(session, ct)));
    }

    private async ValueTask AttachAsync(IServedSession session, CancellationToken cancellationToken)
    {
        // Where it is activated, or where it migrates to. It flows with this call and ends with this method.
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo.SiloAddress);
        await Grain(session).Attached(new AwakeSession { Info = session.Info, Capsule = session.Capsule }, cancellationToken);
    }

    private ISessionGrain Grain(IServedSession session) => grains.GetGrain<ISessionGrain>(session.Info.SessionId);

    private async Task TryAsync(Func<ValueTask> call)
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
