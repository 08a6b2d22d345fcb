using System.Net;
using CSsl.Gateway.Records;
using CSsl.Link;
using CSsl.Tls;

namespace CSsl.Gateway.Connections;

/// <summary>
/// What the gateway knows of one client connection: the paper's STRUCT_G {SockID, Session_id}. What a silo needs to go on with the session is in
/// <see cref="VirtualConnections.VirtualConnection"/>; both live next to the socket, with the one thing whose loss ends the connection anyway.
/// </summary>
/// <remarks>Sessions are listed from it while it changes: everything that does is a reference or a word.</remarks>
/// <param name="id">The gateway's number for the connection, never used twice.</param>
/// <param name="client">The client's address.</param>
/// <param name="server">The address that it connected to.</param>
/// <param name="acceptedAt">Time stamp of the accept.</param>
internal sealed class ConnectionEntry(ulong id, IPEndPoint client, IPEndPoint server, long acceptedAt)
{
    private long _attachedAt;
    private long _bytesFromClient;
    private long _bytesToClient;

    public ulong Id { get; } = id;

    public IPEndPoint Client { get; } = client;

    public IPEndPoint Server { get; } = server;

    public long AcceptedAt { get; } = acceptedAt;

    public ConnectionPhase Phase { get; set; }

    /// <summary>Name of the silo that has the connection now.</summary>
    public string? Silo { get; set; }

    /// <summary>The session's id in the cluster; empty before the handshake is complete.</summary>
    public Guid SessionId { get; private set; }

    public string? ServerName { get; private set; }

    public string? ApplicationProtocol { get; private set; }

    public TlsVersion Version { get; private set; }

    public CipherSuite CipherSuite { get; private set; }

    public DateTimeOffset EstablishedAt { get; private set; }

    /// <summary>The generation of its last attach.</summary>
    public uint Generation { get; private set; }

    /// <summary>When it came to <see cref="Silo"/>.</summary>
    public DateTimeOffset AttachedAt => new(Volatile.Read(ref _attachedAt), TimeSpan.Zero);

    /// <summary>Bytes of records from the client to silos.</summary>
    public long BytesFromClient => Volatile.Read(ref _bytesFromClient);

    /// <summary>Bytes of records from silos to the client.</summary>
    public long BytesToClient => Volatile.Read(ref _bytesToClient);

    /// <summary>The handshake is complete. Before the connection's session can be found.</summary>
    public void Establish(Established session, DateTimeOffset now)
    {
        SessionId = session.SessionId;
        ServerName = session.ServerName;
        ApplicationProtocol = session.ApplicationProtocol;
        (Version, CipherSuite) = (session.Version, session.CipherSuite);
        EstablishedAt = now;
    }

    /// <summary>A silo is to serve the session.</summary>
    public void Attach(string silo, uint generation, DateTimeOffset now)
    {
        Generation = generation;
        Volatile.Write(ref _attachedAt, now.UtcTicks);
        Silo = silo;
    }

    /// <summary>One caller at a time.</summary>
    public void CountFromClient(int bytes) => Volatile.Write(ref _bytesFromClient, _bytesFromClient + bytes);

    /// <summary>One caller at a time.</summary>
    public void CountToClient(int bytes) => Volatile.Write(ref _bytesToClient, _bytesToClient + bytes);
}
