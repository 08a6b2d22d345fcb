using System.Net;
using CSsl.Gateway.Records;
using CSsl.Link;

namespace CSsl.Gateway.Connections;

/// <summary>
/// What the gateway knows of one client connection: the paper's STRUCT_G {SockID, Session_id}. What a silo needs to go on with the session is in
/// <see cref="VirtualConnections.VirtualConnection"/>; both live next to the socket, with the one thing whose loss ends the connection anyway.
/// </summary>
/// <param name="id">The gateway's number for the connection, never used twice.</param>
/// <param name="client">The client's address.</param>
/// <param name="server">The address that it connected to.</param>
/// <param name="acceptedAt">Time stamp of the accept.</param>
internal sealed class ConnectionEntry(ulong id, IPEndPoint client, IPEndPoint server, long acceptedAt)
{
    public ulong Id { get; } = id;

    public IPEndPoint Client { get; } = client;

    public IPEndPoint Server { get; } = server;

    public long AcceptedAt { get; } = acceptedAt;

    public ConnectionPhase Phase { get; set; }

    /// <summary>Name of the silo that has the connection now.</summary>
    public string? Silo { get; set; }

    /// <summary>The session's id in the cluster; empty before the handshake is complete.</summary>
    public Guid SessionId { get; private set; }

    /// <summary>The handshake is complete.</summary>
    public void Establish(Established session) => SessionId = session.SessionId;
}
