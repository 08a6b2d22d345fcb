using CSsl.Grains.Data;
using CSsl.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SiloOptions = CSsl.Hosting.Configuration.SiloOptions;

namespace CSsl.Silo.Sessions;

/// <summary>
/// Gives the sessions of this silo that last their grains (<see cref="ISessionGrain"/>): once a second it compares the two. A session whose grain is elsewhere, or was
/// deactivated, or does not know the session's last capsule, says so itself (<see cref="IServedSession.IsRegistered"/>), so that one at rest costs no call. One whose grain
/// knows a newer attach is stopped.
/// </summary>
/// <remarks>A session that is over within <see cref="SiloOptions.SessionGrainAfter"/>, as most are, never costs a grain call; and none waits for one.</remarks>
internal sealed partial class SessionRegistrar(SessionTable sessions, SessionClaims claims, IOptions<SiloOptions> options, TimeProvider time, ILogger<SessionRegistrar> logger)
    : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private const int CallsAtOnce = 32;

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
        var gone = claims.TakeEnded();
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(gone, atOnce, async (session, ct) => await TryAsync(() => claims.DetachAsync(session, ct)));
        await Parallel.ForEachAsync(stay, atOnce, async (session, ct) => await TryAsync(() => AttachAsync(session, ct)));
    }

    private async ValueTask AttachAsync(IServedSession session, CancellationToken cancellationToken)
    {
        var verdict = await claims.AttachAsync(session, askAt: null, cancellationToken);
        if (!verdict.IsGranted)
            session.Supersede();
    }

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
                LogFailed(ClusterTrouble.ReasonOf(e));
            _failing = true;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "sessions of this silo can't be made known to the cluster: {Reason}; they are served all the same")]
    private partial void LogFailed(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "sessions of this silo are made known to the cluster again")]
    private partial void LogWorksAgain();
}
