using System.Net;

namespace CSsl.EmbeddedCluster.Wire;

/// <summary>A message on its way, which knows whether any of it can have left. A silo acts on nothing before it has the whole, and has checked its MAC.</summary>
internal sealed class MessageContent(byte[] body) : HttpContent
{
    private volatile bool _isBegun;

    /// <summary>False: no byte of the message was sent, on no connection.</summary>
    public bool IsBegun => _isBegun;

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _isBegun = true;
        return stream.WriteAsync(body, cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = body.Length;
        return true;
    }
}
