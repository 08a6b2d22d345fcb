using System.Net;
using System.Threading.Channels;

namespace CSsl.Tests.Support;

/// <summary>A request body that a test writes piece by piece while the response is already coming (HTTP/2 duplex, as in gRPC).</summary>
internal sealed class PushContent : HttpContent
{
    private readonly Channel<byte[]> _pieces = Channel.CreateUnbounded<byte[]>();

    /// <summary>Sends a piece now.</summary>
    public void Push(byte[] piece) => _pieces.Writer.TryWrite(piece);

    /// <summary>Ends the body.</summary>
    public void Complete() => _pieces.Writer.Complete();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync();
        await foreach (byte[] piece in _pieces.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(piece);
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
