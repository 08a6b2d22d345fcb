using CSsl.Grains.Cluster;
using CSsl.Grains.Data;
using CSsl.Silo.Lifecycle;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Sessions;

/// <summary>
/// Seals under the key that the cluster says, lets the sessions that are awake be sealed anew when that is another, and reports when this silo's keys are others. A silo that has not been told, or lacks the key, is not active:
/// it could not open what others seal, nor they what it seals.
/// </summary>
internal sealed partial class SealingKeyFollower(ClusterViewHolder view, SharedKeyRing keys, SessionTable sessions, SiloStatus status, SiloReporter reporter, ILogger<SealingKeyFollower> logger)
    : BackgroundService
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private (string Keys, string? Told, string? Missing, string? Kept) _seen;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        view.Changed += OnViewChanged;
        keys.Changed += Follow;
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        view.Changed -= OnViewChanged;
        keys.Changed -= Follow;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? sealedUnder = null;
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stoppingToken);
                var told = keys.ClusterKeyName;
                if (told != sealedUnder && keys.HasClusterKey)
                {
                    sealedUnder = told;
                    foreach (var session in sessions.All)
                        session.RenewCapsule();
                }

                await reporter.ReportAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private void OnViewChanged(ClusterView changed) => Follow();

    private void Follow()
    {
        lock (_gate)
        {
            // Comes back here, when that changes anything.
            var told = view.Current.SealingKey;
            if (told is not null)
                keys.SealUnder(told);
            var known = _seen;
            _seen = (string.Join(',', keys.KeyNames), told, told is null || keys.HasClusterKey ? null : told, keys.KeptKeyId);
            if (_seen == known)
                return;

            status.SealsAs(told is null ? SiloStatus.NotToldYet : _seen.Missing is null ? null : $"the key ring lacks {told}, which the cluster seals under", isTrouble: _seen.Missing is not null);
            if (_seen.Missing is { } missing && missing != known.Missing)
                LogMissing(missing, _seen.Keys);
            else if (known.Missing is not null && _seen.Missing is null)
                LogFound(told!);
            if (_seen.Kept is { } kept && kept != known.Kept)
                LogKept(kept);
            if (told is not null && told != known.Told && _seen.Missing is null)
                LogSeals(told);
            if (_changed.CurrentCount == 0)
                _changed.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "sealing under {Key} from now on, which all silos have")]
    private partial void LogSeals(string key);

    [LoggerMessage(Level = LogLevel.Error, Message = "this silo can't serve the cluster, which seals under {Missing}: Cluster:SealingKeyFile has {Keys} only; not ready until it has that key")]
    private partial void LogMissing(string missing, string keys);

    [LoggerMessage(Level = LogLevel.Information, Message = "this silo can serve the cluster again: it has {Key}")]
    private partial void LogFound(string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "sealing key {Key} was taken out of Cluster:SealingKeyFile, but the cluster seals under it: it stays until all silos have another, and Cluster:SealingKeyRetention longer")]
    private partial void LogKept(string key);
}
