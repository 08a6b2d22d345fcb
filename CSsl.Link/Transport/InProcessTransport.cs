using System.Collections.Concurrent;
using System.Threading.Channels;

namespace CSsl.Link;

/// <summary>Links within a process, for "cssl serve" and for tests. Endpoints are "inproc:NAME"; names are the process's.</summary>
internal sealed class InProcessTransport : ILinkTransport
{
    public const string Prefix = "inproc:";

    private readonly ConcurrentDictionary<string, InProcessListener> _listeners = new(StringComparer.Ordinal);

    public static InProcessTransport Instance { get; } = new();

    public bool IsWithinProcess => true;

    public ILinkTransportListener Listen(string endpoint)
    {
        var listener = new InProcessListener(endpoint, closed => _listeners.TryRemove(new(endpoint, closed)));
        return _listeners.TryAdd(endpoint, listener) ? listener : throw new LinkException($"Can't listen on {endpoint}: it is in use.");
    }

    public ValueTask<Stream> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (here, there) = InProcessStream.CreatePair();
        return _listeners.TryGetValue(endpoint, out var listener) && listener.TryAdd(there)
            ? ValueTask.FromResult(here)
            : throw new LinkException($"No connection to {endpoint}: nobody listens there.");
    }
}

/// <summary>A listener is a channel of streams; completed means closed.</summary>
internal sealed class InProcessListener(string endpoint, Action<InProcessListener> onClosed) : ILinkTransportListener
{
    private const int Backlog = 512;

    private readonly Channel<Stream> _waiting = Channel.CreateBounded<Stream>(Backlog);

    public string Endpoint => endpoint;

    public bool TryAdd(Stream stream) => _waiting.Writer.TryWrite(stream);

    public async ValueTask<(Stream Stream, string From)?> AcceptAsync()
        => await _waiting.Reader.WaitToReadAsync() && _waiting.Reader.TryRead(out var stream) ? (stream, endpoint) : null;

    public async ValueTask DisposeAsync()
    {
        onClosed(this);
        _waiting.Writer.TryComplete();
        while (_waiting.Reader.TryRead(out var stream))
            await stream.DisposeAsync();
    }
}
