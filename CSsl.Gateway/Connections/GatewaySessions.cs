using System.Net;
using CSsl.Gateway.VirtualConnections;
using CSsl.Grains.Data;
using CSsl.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace CSsl.Gateway.Connections;

/// <summary>
/// The sessions whose sockets this gateway has, awake or asleep, for an operator. They are looked for in the connection table: asked for now and then, they cost nothing in between.
/// </summary>
internal sealed class GatewaySessions(ConnectionTable connections, IOptions<GatewayOptions> options)
{
    private readonly string _gateway = options.Value.Name;

    /// <summary>Those that are asked for, in order.</summary>
    public SessionList List(SessionQuery query)
    {
        var network = query.Client is { } client ? ParseNetwork(client) : (IPNetwork?)null;
        var matching = connections.All.Where(connection => connection.Session is { } session && Matches(connection.Entry, session, query, network)).ToList();
        var ordered = query.Order == SessionOrder.Bytes
            ? matching.OrderByDescending(static connection => connection.Entry.BytesFromClient + connection.Entry.BytesToClient)
            : matching.OrderBy(static connection => connection.Entry.EstablishedAt);
        return new SessionList { Sessions = [.. ordered.Take(Math.Clamp(query.Limit, 0, SessionQuery.MaxLimit)).Select(Describe)], Total = matching.Count };
    }

    /// <summary>The session with that id; null when it is not here.</summary>
    public SessionInfo? Find(Guid sessionId) => FindConnection(sessionId) is { } connection ? Describe(connection) : null;

    /// <summary>Lets a session finish what is under way, and ends it with close_notify; false when it is not here.</summary>
    public bool End(Guid sessionId)
    {
        if (FindConnection(sessionId) is not { } connection)
            return false;
        connection.Finish();
        return true;
    }

    /// <summary>Attaches a sleeping session at that silo; has the silo of another let it go there.</summary>
    public SessionMove Move(Guid sessionId, string silo)
    {
        if (FindConnection(sessionId) is not { Session: { } session } connection)
            return SessionMove.Unknown;
        if (connection.Entry.ApplicationProtocol == "h2")
            return SessionMove.Http2;
        var isAwake = session.State == ConnectionState.Attached;
        if (isAwake && connection.Entry.Silo == silo)
            return SessionMove.AlreadyThere;

        session.MoveTo(silo);
        return isAwake ? SessionMove.AtCheckpoint : SessionMove.UnderWay;
    }

    /// <summary>An address, or a network such as 10.0.0.0/8.</summary>
    /// <exception cref="FormatException">Neither.</exception>
    public static IPNetwork ParseNetwork(string text)
    {
        if (IPAddress.TryParse(text, out var address))
            return new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return IPNetwork.TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not an address such as 10.0.0.7 or a network such as 10.0.0.0/8");
    }

    private ClientConnection? FindConnection(Guid sessionId) => connections.All.FirstOrDefault(connection => connection.Session is not null && connection.Entry.SessionId == sessionId);

    private static bool Matches(ConnectionEntry entry, VirtualConnection session, SessionQuery query, IPNetwork? network)
        => session.State != ConnectionState.Closing
            && (query.Silo is null || (session.State == ConnectionState.Attached && entry.Silo == query.Silo))
            && (query.ServerName is null || query.ServerName.Equals(entry.ServerName, StringComparison.OrdinalIgnoreCase))
            && (network is not { } wanted || wanted.Contains(entry.Client.Address));

    private SessionInfo Describe(ClientConnection connection)
    {
        var (entry, session) = (connection.Entry, connection.Session!);
        var state = session.State;
        var isAwake = state == ConnectionState.Attached;
        return new SessionInfo
        {
            SessionId = entry.SessionId,
            Gateway = _gateway,
            Client = entry.Client.ToString(),
            ServerName = entry.ServerName,
            Protocol = entry.ApplicationProtocol,
            Version = SessionInfo.NameOf(entry.Version),
            CipherSuite = SessionInfo.NameOf(entry.CipherSuite),
            State = isAwake ? SessionState.Awake : state == ConnectionState.Asleep ? SessionState.Asleep : SessionState.Moving,
            Silo = isAwake ? entry.Silo : null,
            EstablishedAt = entry.EstablishedAt,
            AttachedAt = isAwake ? entry.AttachedAt : null,
            Takeovers = session.Takeovers,
            Generation = entry.Generation,
            BytesFromClient = entry.BytesFromClient,
            BytesToClient = entry.BytesToClient,
        };
    }
}
