using System.Net;
using Microsoft.AspNetCore.Connections;

namespace CSsl.Silo.Transport;

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
