using System.Globalization;

namespace CSsl.Grains.Cluster;

/// <summary>What a report must be to enter the cluster view: everybody reads the view, so nobody else has to check.</summary>
internal static class ReportValidation
{
    private const int MaxNameLength = 64;
    private const int MaxEndpointLength = 300;
    private const int MaxTextLength = 500;
    private const int MaxBatchSizes = 32;
    private const SiloRoles AllRoles = SiloRoles.Handshake | SiloRoles.Data;

    /// <exception cref="ArgumentException">A field can't be right: says which.</exception>
    public static void Check(SiloReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        CheckName(report.Name);
        Require(report.Incarnation != Guid.Empty, "the incarnation is empty");
        Require(report.Address is not null, "there is no address");
        Require(((report.Roles | report.StartRoles | report.CapableRoles) & ~AllRoles) == 0, "a role is unknown");
        Require(Enum.IsDefined(report.State) && Enum.IsDefined(report.Mode), "the state is unknown");
        Require(report.Trouble is not { Length: > MaxTextLength }, "the trouble is too long");
        Require(report.Order is null || (report.Order.Silo == report.Name && IsOrder(report.Order)), "the order can't be one");
        Require(IsLinkEndpoint(report.LinkEndpoint), "the link endpoint is neither host:port nor inproc:NAME");
        var load = report.Load;
        Require(load is not null, "there is no load");
        Require(IsAmount(load!.ProcessCpu) && IsAmount(load.MachineCpu) && IsAmount(load.HandshakesPerSecond) && IsAmount(load.RecordsPerSecond) && IsAmount(load.BytesPerSecond)
            && IsAmount(load.HandshakeTime) && IsAmount(load.CpuAllowance) && IsAmount(load.SchedulingDelay)
            && load is { HandshakesInFlight: >= 0, HandshakeQueue: >= 0, Connections: >= 0, ResidentBytes: >= 0 }, "the load has a value that is no amount");
        Require(report.Engine is null || IsEngine(report.Engine), "the engine's load has a value that is no amount");
    }

    /// <inheritdoc cref="Check(SiloReport)"/>
    public static void Check(GatewayReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        CheckName(report.Name);
        Require(report.Incarnation != Guid.Empty, "the incarnation is empty");
        Require(Enum.IsDefined(report.State), "the state is unknown");
        Require(IsAmount(report.HandshakesPerSecond) && IsAmount(report.BytesPerSecond) && IsAmount(report.RecordsPerSecond) && IsAmount(report.RefusalsPerSecond)
            && IsAmount(report.ProcessCpu) && IsAmount(report.MachineCpu) && IsAmount(report.CpuAllowance) && IsAmount(report.SchedulingDelay) && IsAmount(report.HandshakePace ?? 0)
            && report is { Connections: >= 0, ResidentBytes: >= 0, HandshakesInFlight: >= 0, HandshakeQueue: >= 0 }
            && report.Sessions is null or { Asleep: >= 0, Hibernated: >= 0, Woken: >= 0, Moved: >= 0, TakenOver: >= 0, Lost: >= 0 }, "the load has a value that is no amount");
    }

    /// <exception cref="ArgumentException">A field can't be right: says which.</exception>
    public static void Check(SiloCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        Require(command.Roles is not { } roles || (roles & ~AllRoles) == 0, "a role is unknown");
        Require(command.Mode is not { } mode || Enum.IsDefined(mode), "the mode is unknown");
    }

    private static bool IsEngine(EngineLoad engine) => engine.Name.Length <= MaxNameLength && engine.Batches.Count <= MaxBatchSizes && engine.Batches.All(static count => count >= 0)
        && IsAmount(engine.CallsPerSecond) && IsAmount(engine.RecordsPerSecond) && IsAmount(engine.BytesPerSecond) && IsAmount(engine.LaneFill) && IsAmount(engine.QueueWait);

    private static bool IsOrder(SiloOrder? order) => order is not null && IsName(order.Silo) && order.Version > 0 && ((order.Roles ?? SiloRoles.None) & ~AllRoles) == 0
        && Enum.IsDefined(order.Mode ?? RoleMode.Fixed) && Enum.IsDefined(order.By);

    private static bool IsName(string? name)
        => name is { Length: > 0 and <= MaxNameLength } && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static void CheckName(string? name)
        => Require(IsName(name),
            $"the name must be 1 to {MaxNameLength} letters, digits, '-', '_' or '.'");

    /// <summary>What <see cref="Link.LinkTransport"/> can dial.</summary>
    private static bool IsLinkEndpoint(string? endpoint)
    {
        if (endpoint is not { Length: > 0 and <= MaxEndpointLength } || endpoint.Any(static c => c is <= ' ' or > '~'))
            return false;

        var colon = endpoint.LastIndexOf(':');
        return colon > 0 && (endpoint.StartsWith("inproc:", StringComparison.Ordinal)
            ? colon < endpoint.Length - 1
            : ushort.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port != 0);
    }

    private static bool IsAmount(double value) => double.IsFinite(value) && value >= 0;

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
            throw new ArgumentException("Refused: " + otherwise + ".");
    }
}
