using CSsl.Gateway.Admission;
using CSsl.Gateway.Links;
using CSsl.Gateway.Metrics;
using CSsl.Gateway.Records;
using CSsl.Gateway.VirtualConnections;
using CSsl.Hosting.Configuration;
using CSsl.Link;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.Connections;

/// <summary>What every connection of a gateway uses.</summary>
internal sealed record ConnectionServices(
    ConnectionTable Table,
    HandshakeAdmission Admission,
    HelloMemory HelloMemory,
    SiloLinks Links,
    Deadlines Deadlines,
    LimitsOptions Limits,
    GatewayMeters Meters,
    RefusalLog Refusals,
    TimeProvider Time,
    ILogger<ClientConnection> Logger);

/// <summary>The walk of one client connection: hello, handshake, data, end.</summary>
internal sealed partial class ClientConnection
{
    /// <summary>Bytes that a client may still send after we have closed our side, before it is cut off.</summary>
    private const long MaxLingerBytes = 256 * 1024;

    private readonly ClientSocket _socket;
    private readonly ConnectionServices _services;
    private readonly ConnectionInterrupt _interrupt;
    private volatile VirtualConnection? _session;
    private volatile bool _isServed;
    private volatile bool _hasHello;
    private Action? _whenServed;
    private volatile bool _isLingerOver;

    public ClientConnection(ClientSocket socket, ulong id, ConnectionServices services)
    {
        _socket = socket;
        _services = services;
        _interrupt = new ConnectionInterrupt(socket);
        Entry = new ConnectionEntry(id, socket.Remote, socket.Local, services.Time.GetTimestamp());
    }

    /// <summary>What the gateway knows of it.</summary>
    public ConnectionEntry Entry { get; }

    /// <summary>Its data phase; null before that.</summary>
    public VirtualConnection? Session => _session;

    /// <summary>What it is doing.</summary>
    public Idleness Idleness => (_session, Entry.Phase) switch
    {
        (_, ConnectionPhase.Closing) => Idleness.Busy,
        ({ } session, _) => session.Idleness,
        _ => _hasHello ? Idleness.Handshake : Idleness.Silent,
    };

    /// <summary>Time stamp of the accept, or of the last record either way.</summary>
    public long QuietSince => _session?.QuietSince ?? Entry.AcceptedAt;

    /// <summary>It was asked to make room.</summary>
    public bool IsAskedToLeave { get; private set; }

    /// <summary>Runs the connection, and leaves the table. When it returns, the socket may be disposed: everything for the client is with the kernel. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            if (await EstablishAsync() is { } refusal)
                await RefuseAsync(refusal);
            else
                await EndAsync(await ServeAsync(_session!));
        }
        catch (Exception e) when (ClientSocket.IsGone(e))
        {
            if (Entry.Phase is ConnectionPhase.Hello or ConnectionPhase.Handshake)
                _services.Refusals.Refused(RefusalReason.ClientGone, Entry.Client, e.Message, Entry.Id);
        }
        catch (Exception e)
        {
            LogFailed(_services.Logger, Entry.Id, Entry.Client, e);
            _socket.Reset("The gateway failed.");
        }
        finally
        {
            EndServing();
            _socket.Close();
            _services.Table.Leave(Entry.Id);
        }
    }

    /// <summary>Ends the connection in the middle, from any thread.</summary>
    public void Reset(RefusalReason reason)
    {
        _interrupt.Set(reason);
        _session?.End(DataOutcome.Stopping);
    }

    /// <summary>Lets it finish what is under way, and then end politely: from any thread. Before its data phase it has no effect.</summary>
    /// <param name="whenServed">Called once nothing more is to be served.</param>
    public void Finish(Action? whenServed = null)
    {
        Interlocked.Exchange(ref _whenServed, whenServed)?.Invoke();
        if (_isServed)
            Interlocked.Exchange(ref _whenServed, null)?.Invoke();
        _session?.Finish();
    }

    /// <summary>Makes room for others: close_notify once nothing is under way, or a reset before there is a session. From any thread.</summary>
    public void MakeRoom()
    {
        IsAskedToLeave = true;
        if (_session is null)
            _interrupt.Set(RefusalReason.TooManyConnections);
        else
            Finish();
    }

    /// <summary>Null when there is a session, or why there is none.</summary>
    private async Task<Refusal?> EstablishAsync()
    {
        if (!_services.Admission.Admits(Entry.Client.Address))
            return new Refusal(RefusalReason.SourceTooFast);

        var deadlines = _services.Deadlines;
        var firstByte = deadlines.FirstByte.Enter(() => _interrupt.Set(RefusalReason.FirstByteTimeout));
        var handshake = deadlines.Handshake.Enter(() => _interrupt.Set(RefusalReason.HandshakeTimeout));
        var helloPhase = new HelloPhase(_socket, _interrupt, _services.Limits, _services.HelloMemory, () => deadlines.FirstByte.Leave(firstByte));
        try
        {
            var (hello, refusal) = await helloPhase.RunAsync();
            if (hello is null)
                return refusal;
            _hasHello = true;
            if (!await _services.Admission.EnterAsync())
                return Refusal.WithAlert(_services.Table.IsDraining ? RefusalReason.Stopping : RefusalReason.TooManyHandshakes, Tls.AlertDescription.InternalError);

            try
            {
                var handshakePhase = new HandshakePhase(_socket, Entry, _interrupt, _services.Links, _services.Limits, _services.Meters, _services.Time);
                (var session, refusal) = await handshakePhase.RunAsync(hello);
                if (session is not null)
                    Establish(session, handshakePhase.DataSilo);
                return refusal;
            }
            finally
            {
                _services.Admission.Leave();
            }
        }
        finally
        {
            deadlines.FirstByte.Leave(firstByte);
            deadlines.Handshake.Leave(handshake);
            _services.HelloMemory.Release(helloPhase.Held);
        }
    }

    private void Establish(Established session, SiloLink? dataSilo)
    {
        Entry.Establish(session, _services.Time.GetUtcNow());
        Entry.Phase = ConnectionPhase.Data;
        _services.Meters.CountHandshakeCompleted(_services.Time.GetElapsedTime(Entry.AcceptedAt));
        LogEstablished(_services.Logger, Entry.Id, Entry.Client, session.Version, session.CipherSuite, session.Group?.ToString() ?? "none", session.ApplicationProtocol, session.ServerName, session.Resumed);
        _session = new VirtualConnection(_socket, Entry, session, dataSilo, _services);
    }

    // Not async: a sleeping connection has no more state machines than it needs.
    private Task<DataOutcome> ServeAsync(VirtualConnection session)
    {
        if (_interrupt.Reason is not null)
            session.End(DataOutcome.Stopping);
        if (_services.Table.IsDraining)
            session.Finish();
        return session.RunAsync();
    }

    private Task EndAsync(DataOutcome outcome)
    {
        EndServing();
        LogEnded(_services.Logger, Entry.Id, outcome, Entry.Silo);
        if (outcome == DataOutcome.Done)
            return CloseAsync();

        // Keys are in use: there is no alert that the client could read.
        if (outcome is DataOutcome.NoSilo or DataOutcome.NotOpened && !_session!.WasAttached)
            _services.Refusals.Refused(RefusalReason.NoDataSilo, Entry.Client, connection: Entry.Id);
        _socket.Reset(outcome.ToString());
        return Task.CompletedTask;
    }

    private void EndServing()
    {
        _isServed = true;
        Interlocked.Exchange(ref _whenServed, null)?.Invoke();
    }

    private async Task RefuseAsync(Refusal refusal)
    {
        _services.Refusals.Refused(refusal.Reason, Entry.Client, refusal.Detail, Entry.Id);
        if (refusal.Reason is RefusalReason.SourceTooFast or RefusalReason.TooManyConnections or RefusalReason.ClientGone || (refusal.Reason == RefusalReason.Stopping && refusal.Answer.IsEmpty))
        {
            _socket.Reset(refusal.Reason.ToString());
            return;
        }

        await CloseAsync(refusal.Answer);
    }

    /// <summary>The last bytes and FIN, and then the client's: closing a socket with unread input would reset the connection, and what the client has not read yet
    /// (an alert, the end of a page) would be lost to it.</summary>
    private async Task CloseAsync(ReadOnlyMemory<byte> last = default)
    {
        Entry.Phase = ConnectionPhase.Closing;
        var ticket = _services.Deadlines.Linger.Enter(EndLinger);
        try
        {
            if (!last.IsEmpty)
                await _socket.Output.WriteAsync(last);
            if (_isLingerOver)
            {
                _socket.Reset("The client does not take the last bytes.");
                return;
            }

            _socket.CloseOutput();
            long thrownAway = 0;
            while (!_isLingerOver && thrownAway < MaxLingerBytes)
            {
                var result = await _socket.Input.ReadAsync();
                thrownAway += result.Buffer.Length;
                _socket.Input.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    return;
            }
        }
        catch (Exception e) when (ClientSocket.IsGone(e))
        {
            // With a reset, as it may: it has all that it wanted.
            LogGone(_services.Logger, Entry.Id, e.Message);
        }
        finally
        {
            _services.Deadlines.Linger.Leave(ticket);
        }
    }

    private void EndLinger()
    {
        _isLingerOver = true;
        _socket.Output.CancelPendingFlush();
        _socket.Input.CancelPendingRead();
    }

    [LoggerMessage(EventId = 210, Level = LogLevel.Debug, Message = "Connection {Id} from {Client}: {Version}, {Suite}, group {Group}, ALPN {Protocol}, for {ServerName}, resumed {Resumed}")]
    private static partial void LogEstablished(ILogger logger, ulong id, System.Net.IPEndPoint client, Tls.TlsVersion version, Tls.CipherSuite suite, string group, string? protocol, string? serverName, bool resumed);

    [LoggerMessage(EventId = 211, Level = LogLevel.Debug, Message = "Connection {Id} ended: {Outcome} at {Silo}")]
    private static partial void LogEnded(ILogger logger, ulong id, DataOutcome outcome, string? silo);

    [LoggerMessage(EventId = 213, Level = LogLevel.Trace, Message = "Connection {Id} was closed by the client first: {Reason}")]
    private static partial void LogGone(ILogger logger, ulong id, string reason);

    [LoggerMessage(EventId = 212, Level = LogLevel.Error, Message = "Connection {Id} from {Client} failed")]
    private static partial void LogFailed(ILogger logger, ulong id, System.Net.IPEndPoint client, Exception cause);
}

/// <summary>Kestrel hands every accepted client here.</summary>
internal sealed class GatewayConnectionHandler(ConnectionServices services) : ConnectionHandler
{
    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        services.Meters.CountAccepted();
        var place = connection.Features.GetRequiredFeature<ClientPlace>();
        var client = new ClientConnection(new ClientSocket(connection), place.Id, services);
        services.Table.Add(client);
        return client.RunAsync();
    }
}
