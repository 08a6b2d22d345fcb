namespace CSsl.Grains.Cluster;

/// <summary>
/// How long a change in a report may wait, both until it is reported and until it is pushed: what is different in what a process is, hardly;
/// a load that somebody would decide otherwise by, for a moment; a number that people look at, until the next report is due anyway. A load that only jitters never goes out, so that a cluster at rest is quiet.
/// </summary>
public static class ReportChange
{
    /// <summary>A process reports after so long, whatever it has to say: its subscription, and what a gateway's life is known by.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);

    /// <summary>For a change of state, roles, orders: many may come at once.</summary>
    public static readonly TimeSpan Urgent = TimeSpan.FromMilliseconds(50);

    /// <summary>For a change of load.</summary>
    private static readonly TimeSpan Load = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the change from one to the other may wait; null: for ever.</summary>
    public static TimeSpan? PatienceFor(SiloReport known, SiloReport next)
    {
        if (known with { Load = next.Load, Engine = next.Engine } != next || known.Engine?.Name != next.Engine?.Name)
            return Urgent;
        if (IsNoticeable(known.Load, next.Load) || IsNoticeable(known.Engine, next.Engine))
            return Load;
        return Counts(known) != Counts(next) ? Renewal : null;
    }

    /// <inheritdoc cref="PatienceFor(SiloReport, SiloReport)"/>
    public static TimeSpan? PatienceFor(GatewayReport known, GatewayReport next)
    {
        if (known.Incarnation != next.Incarnation || known.State != next.State || known.ProcessId != next.ProcessId)
            return Urgent;
        var isNoticeable = IsShare(known.ProcessCpu, next.ProcessCpu) || IsShare(known.MachineCpu, next.MachineCpu) || IsShare(known.Pressure, next.Pressure)
            || known.HandshakePace is null != next.HandshakePace is null || IsAmount(known.HandshakePace ?? 0, next.HandshakePace ?? 0, 10)
            || IsAmount(known.HandshakesPerSecond, next.HandshakesPerSecond, 1) || IsAmount(known.RecordsPerSecond, next.RecordsPerSecond, 10) || IsAmount(known.BytesPerSecond, next.BytesPerSecond, 10_000)
            || IsAmount(known.RefusalsPerSecond, next.RefusalsPerSecond, 1) || IsAmount(known.Connections, next.Connections, 0) || IsAmount(known.HandshakeQueue, next.HandshakeQueue, 4)
            || IsAmount(known.HandshakesInFlight, next.HandshakesInFlight, 4) || IsAmount(known.ResidentBytes, next.ResidentBytes, 16 << 20);
        if (isNoticeable)
            return Load;
        return Counts(known) != Counts(next) || known.Sessions != next.Sessions ? Renewal : null;
    }

    private static bool IsNoticeable(SiloLoad known, SiloLoad next)
        => IsShare(known.ProcessCpu, next.ProcessCpu) || IsShare(known.MachineCpu, next.MachineCpu) || IsShare(known.Pressure, next.Pressure)
            || IsAmount(known.HandshakesInFlight, next.HandshakesInFlight, 4) || IsAmount(known.HandshakeQueue, next.HandshakeQueue, 4) || IsAmount(known.HandshakeTime, next.HandshakeTime, 0.002)
            || IsAmount(known.HandshakesPerSecond, next.HandshakesPerSecond, 1) || IsAmount(known.RecordsPerSecond, next.RecordsPerSecond, 10) || IsAmount(known.BytesPerSecond, next.BytesPerSecond, 10_000)
            || IsAmount(known.Connections, next.Connections, 0) || IsAmount(known.ResidentBytes, next.ResidentBytes, 16 << 20);

    private static bool IsNoticeable(EngineLoad? known, EngineLoad? next)
        => IsAmount(known?.CallsPerSecond ?? 0, next?.CallsPerSecond ?? 0, 10) || IsAmount(known?.LaneFill ?? 0, next?.LaneFill ?? 0, 0.1) || IsAmount(known?.QueueWait ?? 0, next?.QueueWait ?? 0, 0.001);

    // Whole numbers are shown as such, and a rate that has come to an end is not shown as its last tenth for ever.
    private static (int, int, int, bool, bool, bool, bool) Counts(SiloReport report) => report.Load is var load
        ? (load.Connections, load.HandshakesInFlight, load.HandshakeQueue, load.HandshakesPerSecond > 0, load.RecordsPerSecond > 0, load.HandshakeTime > 0, report.Engine?.CallsPerSecond > 0)
        : default;

    private static (int, int, int, bool, bool, bool) Counts(GatewayReport report)
        => (report.Connections, report.HandshakesInFlight, report.HandshakeQueue, report.HandshakesPerSecond > 0, report.RecordsPerSecond > 0, report.RefusalsPerSecond > 0);

    /// <summary>Cores, or shares of them.</summary>
    private static bool IsShare(double known, double next) => Math.Abs(known - next) > 0.05;

    /// <summary>Different by more than a tenth, and by more than what is noise.</summary>
    private static bool IsAmount(double known, double next, double noise) => Math.Abs(known - next) > Math.Max(noise, 0.1 * Math.Max(known, next));
}
