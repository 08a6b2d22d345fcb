using System.Net;
using CSsl.Gateway.Metrics;
using CSsl.Grains.Cluster;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.Connections;

/// <summary>
/// Tells the operator whom the gateway refused and why: the first few of each reason in a second in full, the others as one line with
/// their number, so that a flood of garbage is seen and does not become a flood of log lines.
/// </summary>
internal sealed partial class RefusalLog(ILogger<RefusalLog> logger, GatewayMeters meters, TimeProvider time)
{
    /// <summary>Lines per reason and second.</summary>
    public const int LinesPerSecond = 5;

    /// <summary>How many refusals the status shows.</summary>
    public const int RecentCount = 8;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Queue<RefusalStatus> _recent = new(RecentCount);
    private readonly Tally[] _tallies = [.. Enum.GetValues<RefusalReason>().Select(static _ => new Tally())];

    /// <summary>Counts a refusal and, if there is room in this second, logs it.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="client">Whom.</param>
    /// <param name="detail">What else is known: the host name that was asked for, the first octets; empty for nothing.</param>
    /// <param name="connection">Its id; 0: it got none.</param>
    public void Refused(RefusalReason reason, IPEndPoint client, string detail = "", ulong connection = 0)
    {
        meters.CountRefusal(reason);
        if (reason is RefusalReason.ClientGone)
        {
            LogGone(logger, client, detail);
            return;
        }

        long suppressed;
        lock (_gate)
        {
            if (_recent.Count == RecentCount)
                _recent.Dequeue();
            _recent.Enqueue(new RefusalStatus { Client = client.ToString(), Reason = reason.ToString(), Detail = detail, IsLasting = reason.IsLasting() });
            var tally = _tallies[(int)reason];
            suppressed = tally.Roll(time);
            if (++tally.Lines > LinesPerSecond)
            {
                tally.Suppressed++;
                return;
            }
        }

        if (suppressed > 0)
            LogSuppressed(logger, suppressed, reason);
        LogRefused(logger, client, reason, detail.Length > 0 ? ": " + detail : "", connection > 0 ? $" (connection {connection})" : "");
    }

    /// <summary>The last refusals, oldest first.</summary>
    public IReadOnlyList<RefusalStatus> Recent()
    {
        lock (_gate)
            return [.. _recent];
    }

    /// <summary>Logs what was held back in seconds that are over. Called now and then.</summary>
    public void Sweep()
    {
        foreach (var reason in Enum.GetValues<RefusalReason>())
        {
            long suppressed;
            lock (_gate)
                suppressed = _tallies[(int)reason].Roll(time);
            if (suppressed > 0)
                LogSuppressed(logger, suppressed, reason);
        }
    }

    [LoggerMessage(EventId = 200, Level = LogLevel.Information, Message = "Refused {Client}: {Reason}{Detail}{Connection}")]
    private static partial void LogRefused(ILogger logger, IPEndPoint client, RefusalReason reason, string detail, string connection);

    [LoggerMessage(EventId = 201, Level = LogLevel.Warning, Message = "Refused {Count} more connections: {Reason}")]
    private static partial void LogSuppressed(ILogger logger, long count, RefusalReason reason);

    [LoggerMessage(EventId = 202, Level = LogLevel.Debug, Message = "{Client} went away before the end of its handshake {Detail}")]
    private static partial void LogGone(ILogger logger, IPEndPoint client, string detail);

    private sealed class Tally
    {
        private long _since;

        public int Lines { get; set; }

        public long Suppressed { get; set; }

        /// <summary>Starts a new second if the last is over; returns what it held back.</summary>
        public long Roll(TimeProvider time)
        {
            if (time.GetElapsedTime(_since) < Window)
                return 0;

            var suppressed = Suppressed;
            (_since, Lines, Suppressed) = (time.GetTimestamp(), 0, 0);
            return suppressed;
        }
    }
}
