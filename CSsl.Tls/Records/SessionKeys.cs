using CSsl.Tls.Sessions;

namespace CSsl.Tls.Records;

/// <summary>
/// What it takes to export a session of the data phase again: what the handshake agreed on, since which record each key is in use, and the client's key as
/// of the last checkpoint, from which on another silo may have to read. TLS 1.3 only: TLS 1.2 never changes a key, and what was exported once stays true.
/// </summary>
internal sealed class SessionKeys : IDisposable
{
    private readonly CipherSuite _suite;
    private readonly int _fragmentLimit;
    private readonly string? _applicationProtocol;
    private readonly string? _serverName;
    private readonly byte[] _peerCertificate;
    private readonly bool _resumed;
    private readonly DateTimeOffset _createdAt;
    private readonly string? _dataSilo;

    // The client's key as of the last checkpoint; null while it is the one in use.
    private SecretBytes? _checkpointSecret;
    private ulong _checkpointKeyBase;
    private ulong _checkpointRecord;
    private ulong _clientKeyBase;
    private ulong _serverKeyBase;

    /// <summary>Copies what it needs: the session stays the caller's.</summary>
    public SessionKeys(ExportedSession session)
    {
        _suite = session.CipherSuite;
        _fragmentLimit = session.FragmentLimit;
        _applicationProtocol = session.ApplicationProtocol;
        _serverName = session.ServerName;
        _peerCertificate = session.PeerCertificate;
        _resumed = session.Resumed;
        _createdAt = session.CreatedAt;
        _dataSilo = session.DataSilo;
        (_clientKeyBase, _serverKeyBase, _checkpointRecord) = (session.ClientKeyBase, session.ServerKeyBase, session.ClientSequence);
    }

    /// <summary>Number of the first record under the write key.</summary>
    public ulong ServerKeyBase => _serverKeyBase;

    /// <summary>Call before the client's key changes.</summary>
    /// <param name="keys">The client's.</param>
    /// <param name="nextRecord">Number of the first record under the next key.</param>
    public void OnClientUpdate(TrafficKeyring keys, ulong nextRecord)
    {
        if (_checkpointSecret is null)
            (_checkpointSecret, _checkpointKeyBase) = (keys.CopySecret(), _clientKeyBase);
        _clientKeyBase = nextRecord;
    }

    /// <param name="nextRecord">Number of the first record under the next key.</param>
    public void OnServerUpdate(ulong nextRecord) => _serverKeyBase = nextRecord;

    /// <summary>The client's records before this one are never asked for again.</summary>
    /// <returns>True when the client's key has changed since the last checkpoint.</returns>
    public bool Checkpoint(ulong nextRecord)
    {
        _checkpointRecord = nextRecord;
        if (_checkpointSecret is null)
            return false;
        _checkpointSecret.Dispose();
        _checkpointSecret = null;
        return true;
    }

    /// <summary>The session as it is.</summary>
    public ExportedSession Export(TrafficKeyring client, TrafficKeyring server, SecretBytes exporter, ulong nextToClient)
        => Export(client, server.CopySecret(), _serverKeyBase, exporter, nextToClient);

    /// <summary>The session as it will be when the write key has changed, as another silo would begin with it: at the last checkpoint of the client's records.</summary>
    public ExportedSession ExportNext(TrafficKeyring client, TrafficKeyring server, SecretBytes exporter, ulong nextToClient)
        => Export(client, server.CopyNextSecret(), nextToClient, exporter, nextToClient);

    public void Dispose() => _checkpointSecret?.Dispose();

    private ExportedSession Export(TrafficKeyring client, SecretBytes serverSecret, ulong serverKeyBase, SecretBytes exporter, ulong nextToClient) => new()
    {
        Version = TlsVersion.Tls13,
        CipherSuite = _suite,
        ClientSecret = _checkpointSecret is { } secret ? new SecretBytes(secret.Span) : client.CopySecret(),
        ServerSecret = serverSecret,
        ExporterSecret = exporter,
        ClientSequence = _checkpointRecord,
        ServerSequence = nextToClient,
        ClientKeyBase = _checkpointSecret is null ? _clientKeyBase : _checkpointKeyBase,
        ServerKeyBase = serverKeyBase,
        FragmentLimit = _fragmentLimit,
        ApplicationProtocol = _applicationProtocol,
        ServerName = _serverName,
        PeerCertificate = _peerCertificate,
        Resumed = _resumed,
        CreatedAt = _createdAt,
        DataSilo = _dataSilo,
    };
}

/// <summary>Which end of the connection we are: the server, except in tests and benchmarks, whose clients are made of the same parts.</summary>
internal enum TlsEndpoint
{
    Server,
    Client,
}
