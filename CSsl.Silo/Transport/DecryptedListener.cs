using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace CSsl.Silo.Transport;

/// <summary>Hands decrypted connections to Kestrel. They may come before Kestrel asks; after it stopped asking, none is taken.</summary>
public sealed class DecryptedListener : IConnectionListener
{
    // Bounded by the number of sessions that the silo takes. No synchronous continuations: Kestrel's accept loop must not run on a link's read loop.
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions
    {
        SingleReader = true,
        AllowSynchronousContinuations = false,
    });

    public EndPoint EndPoint { get; internal set; } = new DecryptedEndPoint();

    /// <summary>Gives a connection to Kestrel; false when it takes no more.</summary>
    internal bool TryAdd(ConnectionContext connection) => _accepted.Writer.TryWrite(connection);

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_accepted.Reader.TryRead(out var connection))
                return connection;
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();
}

/// <summary>Where Kestrel listens for the connections that this silo decrypts: not an address, they come over the data links.</summary>
public sealed class DecryptedEndPoint : EndPoint
{
    public override string ToString() => "decrypted";
}

/// <summary>Kestrel's way to <see cref="DecryptedListener"/>: takes the <see cref="DecryptedEndPoint"/> and leaves all others to the socket transport.</summary>
internal sealed class DecryptedTransportFactory(DecryptedListener listener) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is DecryptedEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        listener.EndPoint = endpoint;
        return ValueTask.FromResult<IConnectionListener>(listener);
    }
}
