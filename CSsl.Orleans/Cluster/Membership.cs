using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace CSsl.EmbeddedCluster.Cluster;

/// <summary>This process's copy of the membership table.</summary>
internal sealed partial class Membership(MembershipTable table) : IDisposable
{
    private readonly SemaphoreSlim _reading = new(1);
    private bool _unreadable;
    private volatile ClusterSnapshot _current = ClusterSnapshot.Empty;

    public ClusterSnapshot Current => _current;

    /// <summary>Raised in order, with the snapshot before and the one after; the handler must not wait.</summary>
    public event Action<ClusterSnapshot, ClusterSnapshot>? Changed;

    /// <summary>Reads the table, unless the copy has the version <paramref name="atLeast"/> by the time it is this reader's turn.</summary>
    public async Task<ClusterSnapshot> RefreshAsync(long atLeast = long.MaxValue)
    {
        await _reading.WaitAsync().ConfigureAwait(false);
        try
        {
            var before = _current;
            if (before.Version >= atLeast)
                return before;
            var after = await table.ReadAsync().ConfigureAwait(false);
            if (after.Version != before.Version)
            {
                _current = after;
                Changed?.Invoke(before, after);
            }
            return after;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Reads the table again and again until canceled.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The copy stays as it is until the table can be read again.")]
    public async Task FollowAsync(TimeSpan period, TimeProvider time, ILogger log, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(period, time);
        using var stop = cancellationToken.UnsafeRegister(static t => ((PeriodicTimer)t!).Dispose(), timer);
        while (await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                await RefreshAsync().ConfigureAwait(false);
                if (_unreadable)
                    LogReadable(log);
                _unreadable = false;
            }
            catch (Exception e)
            {
                if (!_unreadable)
                    LogUnreadable(log, e.Message);
                _unreadable = true;
            }
        }
    }

    public void Dispose() => _reading.Dispose();

    [LoggerMessage(42, LogLevel.Warning, "The membership table can't be read; the silos that were known are used: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string reason);

    [LoggerMessage(43, LogLevel.Information, "The membership table can be read again.")]
    private static partial void LogReadable(ILogger logger);
}
