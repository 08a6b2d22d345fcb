using Microsoft.AspNetCore.Http;

namespace CSsl.Silo.Proxy;

/// <summary>An origin's body. Where its first bytes are not there yet, the response's head does not wait for them; where they are, both go out together, and the head of a
/// response without a body still says that it has none.</summary>
internal sealed class HeadFirstStream(Stream body, HttpResponse response) : WrappedStream(body)
{
    private bool _headIsOut;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = Inner.ReadAsync(buffer, cancellationToken);
        if (_headIsOut)
            return read;
        _headIsOut = true;
        return read.IsCompleted ? read : ReadBehindHeadAsync(read, cancellationToken);
    }

    private async ValueTask<int> ReadBehindHeadAsync(ValueTask<int> read, CancellationToken cancellationToken)
    {
        var head = response.Body.FlushAsync(cancellationToken);
        try
        {
            return await read;
        }
        finally
        {
            await head;
        }
    }
}
