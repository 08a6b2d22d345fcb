using CSsl.Grains.Data;
using Orleans;
using Orleans.Concurrency;

namespace CSsl.Grains.Cluster;

/// <summary>
/// The one holder of the cluster view (key 0). Silos and gateways report their load when it changes, and are pushed what they need of the view when that
/// changes: a gateway all of it, a silo its own part (docs/adr/0011).
/// </summary>
/// <remarks>What only reads and writes memory interleaves with a command that waits for the database.</remarks>
[Alias("CSsl.IClusterGrain")]
public interface IClusterGrain : IGrainWithIntegerKey
{
    /// <summary>Takes a silo's load and state, and its subscription to its part of the view for as long as membership says that it lives.</summary>
    /// <param name="report">What it does.</param>
    /// <param name="observer">Whom to push to; null: nobody.</param>
    /// <param name="known">The version that it has.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The version that it should have: it has missed a push if it has an older one for longer than a push takes, and asks for <see cref="GetPart"/>.</returns>
    [Alias("ReportSilo"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    ValueTask<ViewVersion> ReportSilo([Immutable] SiloReport report, ISiloObserver? observer, ViewVersion known, CancellationToken cancellationToken);

    /// <summary>Takes a gateway's load and state, and its subscription to the whole view until it has been silent for some time.</summary>
    /// <inheritdoc cref="ReportSilo"/>
    /// <exception cref="DuplicateNameException">Another gateway has the name, and lives.</exception>
    [Alias("ReportGateway"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    ValueTask<ViewVersion> ReportGateway([Immutable] GatewayReport report, IGatewayObserver? observer, ViewVersion known, CancellationToken cancellationToken);

    /// <summary>Orders a silo to drain, to serve again, or to change its roles, unless that would be a mistake. It is stored when this returns, and pushed to the silo.</summary>
    [Alias("Command")]
    [return: Immutable]
    ValueTask<CommandAnswer> Command([Immutable] SiloCommand command, CancellationToken cancellationToken);

    /// <summary>The whole view, as it was pushed last.</summary>
    [Alias("GetView"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<ClusterView> GetView(CancellationToken cancellationToken);

    /// <summary>A silo's part of the view, as it was pushed last: itself, and what it is to do.</summary>
    [Alias("GetPart"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<ClusterView> GetPart(string silo, CancellationToken cancellationToken);

    /// <summary>The gateways that can be asked something.</summary>
    [Alias("GetGateways"), AlwaysInterleave, ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<IReadOnlyList<KnownGateway>> GetGateways(CancellationToken cancellationToken);
}

/// <summary>A gateway, and how it is asked.</summary>
[GenerateSerializer, Immutable, Alias("CSsl.KnownGateway")]
public sealed record KnownGateway
{
    [Id(0)] public required string Name { get; init; }
    [Id(1)] public required IGatewayObserver Observer { get; init; }
}

/// <summary>A gateway, as the cluster grain pushes to it and <see cref="IClusterSessionsGrain"/> asks it.</summary>
[Alias("CSsl.IGatewayObserver")]
public interface IGatewayObserver : IGrainObserver
{
    /// <summary>The view has changed. Nobody waits for it: who misses one is told by the answer to its next report.</summary>
    [Alias("ViewChanged"), OneWay]
    ValueTask ViewChanged([Immutable] ClusterViewChange change);

    /// <summary>Its sessions that a query asks for.</summary>
    [Alias("ListSessions"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<SessionList> ListSessions([Immutable] SessionQuery query);

    /// <summary>The session with that id; null when it is not here.</summary>
    [Alias("FindSession"), ResponseTimeout("00:00:02")]
    [return: Immutable]
    ValueTask<SessionInfo?> FindSession(Guid sessionId);

    /// <summary>Lets a session finish what is under way, and ends it.</summary>
    [Alias("EndSession"), ResponseTimeout("00:00:02")]
    ValueTask<SessionMove> EndSession(Guid sessionId);

    /// <summary>Has a session go on at that silo.</summary>
    [Alias("MoveSession"), ResponseTimeout("00:00:02")]
    ValueTask<SessionMove> MoveSession(Guid sessionId, string silo);
}

/// <summary>A silo, as the cluster grain pushes to it.</summary>
[Alias("CSsl.ISiloObserver")]
public interface ISiloObserver : IGrainObserver
{
    /// <summary>What concerns this silo in the view has changed. Nobody waits for it: who misses one is told by the answer to its next report.</summary>
    [Alias("PartChanged"), OneWay]
    ValueTask PartChanged([Immutable] ClusterView part);
}
