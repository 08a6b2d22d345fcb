using System.Net;
using System.Net.Sockets;
using CSsl.Link;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CSsl.Hosting;

/// <summary>Who says when a listener may accept.</summary>
public interface IAcceptRoom
{
    /// <summary>True for the listeners that ask here; the others accept whenever they can.</summary>
    bool IsFor(IPEndPoint endpoint);

    /// <summary>Completes when there is room for one more.</summary>
    ValueTask WhenRoomAsync(CancellationToken cancellationToken);

    /// <summary>It was accepted.</summary>
    void OnAccepted(ConnectionContext connection);
}

/// <summary>
/// Kestrel's TCP connections, by an accept loop that neither spins nor takes the last file descriptor. Kestrel's own tries again at once for as long as accept fails.
/// </summary>
public sealed partial class PacedTransport(IOptions<SocketTransportOptions> options, IEnumerable<IAcceptRoom> rooms, TimeProvider time, ILogger<PacedTransport> logger)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint;

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = options.Value.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }

        socket.Listen(options.Value.Backlog);
        return ValueTask.FromResult<IConnectionListener>(new Listener(this, socket, rooms.FirstOrDefault(room => room.IsFor((IPEndPoint)endpoint))));
    }

    private SocketConnectionContextFactory CreateConnections() => new(
        new SocketConnectionFactoryOptions
        {
            IOQueueCount = options.Value.IOQueueCount,
            MaxReadBufferSize = options.Value.MaxReadBufferSize,
            MaxWriteBufferSize = options.Value.MaxWriteBufferSize,
            UnsafePreferInlineScheduling = options.Value.UnsafePreferInlineScheduling,
            WaitForDataBeforeAllocatingBuffer = options.Value.WaitForDataBeforeAllocatingBuffer,
        },
        logger);

    [LoggerMessage(EventId = 120, Level = LogLevel.Warning, Message = "Accepting on {Endpoint} failed, clients wait: {Reason} ({Others} more since the last such line)")]
    private static partial void LogShort(ILogger logger, EndPoint endpoint, string reason, long others);

    private sealed class Listener(PacedTransport transport, Socket socket, IAcceptRoom? room) : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connections = transport.CreateConnections();
        private readonly LineRate _lines = new(transport.Time);
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                if (room is not null)
                    await room.WhenRoomAsync(_unbound.Token);
                var accepted = await PacedAccept.AcceptAsync(socket, transport.Time, OnShort, _unbound.Token);
                if (accepted.LocalEndPoint is IPEndPoint)
                    accepted.NoDelay = transport.NoDelay;
                var connection = _connections.Create(accepted);
                room?.OnAccepted(connection);
                return connection;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null; // Unbound.
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.Cancel();
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await UnbindAsync();
            _connections.Dispose();
        }

        private void OnShort(SocketException reason)
        {
            if (_lines.IsDue(out var others))
                LogShort(transport.Logger, EndPoint, reason.Message, others);
        }
    }

    private TimeProvider Time => time;

    private ILogger Logger => logger;

    private bool NoDelay => options.Value.NoDelay;
}
