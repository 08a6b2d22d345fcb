using System.Globalization;

namespace CSsl.Grains.Cluster;

/// <summary>What a report must be to enter the cluster view: everybody reads the view, so nobody else has to check.</summary>
internal static class ReportValidation
{
    private const int MaxNameLength = 64;
    private const int MaxEndpointLength = 300;

    /// <exception cref="ArgumentException">A field can't be right: says which.</exception>
    public static void Check(SiloReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        CheckName(report.Name);
        Require(report.Incarnation != Guid.Empty, "the incarnation is empty");
        Require((report.Roles & ~(SiloRoles.Handshake | SiloRoles.Data)) == 0, "a role is unknown");
        Require(Enum.IsDefined(report.State), "the state is unknown");
        Require(IsLinkEndpoint(report.LinkEndpoint), "the link endpoint is neither host:port nor inproc:NAME");
        var load = report.Load;
        Require(load is not null, "there is no load");
        Require(IsAmount(load!.ProcessCpu) && IsAmount(load.MachineCpu) && IsAmount(load.HandshakesPerSecond) && IsAmount(load.RecordsPerSecond) && IsAmount(load.BytesPerSecond)
            && load is { HandshakesInFlight: >= 0, Connections: >= 0, ResidentBytes: >= 0 }, "the load has a value that is no amount");
    }

    /// <inheritdoc cref="Check(SiloReport)"/>
    public static void Check(GatewayReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        CheckName(report.Name);
        Require(report.Incarnation != Guid.Empty, "the incarnation is empty");
        Require(Enum.IsDefined(report.State), "the state is unknown");
        Require(IsAmount(report.HandshakesPerSecond) && IsAmount(report.BytesPerSecond) && report is { Connections: >= 0, ResidentBytes: >= 0 }, "the load has a value that is no amount");
    }

    private static void CheckName(string? name)
        => Require(name is { Length: > 0 and <= MaxNameLength } && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'),
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
            throw new ArgumentException("Report refused: " + otherwise + ".");
    }
}
