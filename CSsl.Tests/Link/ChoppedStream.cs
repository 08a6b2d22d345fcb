using CSsl.Silo.Proxy;

namespace CSsl.Tests.Link;

/// <summary>A transport that hands over what it reads in pieces of random length, as a network does.</summary>
internal sealed class ChoppedStream(Stream inner, Random random, int mostAtOnce) : WrappedStream(inner)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => Inner.ReadAsync(buffer[..random.Next(1, Math.Min(buffer.Length, mostAtOnce) + 1)], cancellationToken);
}
