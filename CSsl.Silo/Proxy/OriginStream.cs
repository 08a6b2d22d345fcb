using System.Net.Security;
using System.Net.Sockets;

namespace CSsl.Silo.Proxy;

/// <summary>A connection to an origin as HTTP sees it, behind TLS where there is any. Knows what a <see cref="Stream"/> has no word for: the end of one direction, and a reset.</summary>
internal sealed class OriginStream(Stream inner) : WrappedStream(inner)
{
    private static readonly HttpRequestOptionsKey<Carrier> CarrierKey = new("CSsl.Carrier");
    private static readonly AsyncLocal<Carrier?> Current = new();

    /// <summary>From here the stream that a request is written to is known: <see cref="Of"/> its answer. SocketsHttpHandler does not say which one it chose.</summary>
    public static void Follow(HttpRequestMessage request)
    {
        var carrier = new Carrier();
        request.Options.Set(CarrierKey, carrier);
        Current.Value = carrier;
    }

    /// <summary>The connection that an answer came on; null unless its request was followed.</summary>
    public static OriginStream? Of(HttpResponseMessage answer)
        => answer.RequestMessage is { } request && request.Options.TryGetValue(CarrierKey, out var carrier) ? carrier.Stream : null;

    /// <summary>Tells the origin that nothing more comes: FIN, or close_notify. What it sends is still read.</summary>
    /// <returns>False where there is no way to say so, or nobody to tell.</returns>
    public async Task<bool> TryEndWritesAsync(CancellationToken cancellationToken)
    {
        try
        {
            switch (Inner)
            {
                case SslStream tls:
                    await tls.ShutdownAsync().WaitAsync(cancellationToken);
                    return true;
                case NetworkStream tcp:
                    tcp.Socket.Shutdown(SocketShutdown.Send);
                    return true;
                default:
                    return false;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            return false; // It was faster.
        }
    }

    /// <summary>Ends the connection so that the origin can tell it from an end in order: RST, or under TLS an end without close_notify.</summary>
    public void Reset()
    {
        if (Inner is NetworkStream tcp)
            tcp.Socket.Close(0); // the stream's own Close says FIN first
        else
            Inner.Dispose();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Inner.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Current.Value is { } carrier)
            carrier.Stream = this;
        return Inner.WriteAsync(buffer, cancellationToken);
    }

    private sealed class Carrier
    {
        public OriginStream? Stream { get; set; }
    }
}
