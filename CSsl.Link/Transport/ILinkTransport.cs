namespace CSsl.Link;

/// <summary>How links travel: TCP between processes, pipes within one. Hosts see endpoints only.</summary>
public interface ILinkTransport
{
    /// <summary>True when what it carries does not leave the process, and is not sealed.</summary>
    bool IsWithinProcess { get; }

    /// <summary>Binds; connections wait from here on.</summary>
    /// <exception cref="LinkException">The endpoint is malformed, in use, or not of this machine.</exception>
    ILinkTransportListener Listen(string endpoint);

    /// <summary>Connects.</summary>
    /// <returns>A duplex stream on which a read and a write may be pending at once, and closing ends both.</returns>
    /// <exception cref="LinkException">Nobody listens there, or it can't be reached.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    ValueTask<Stream> ConnectAsync(string endpoint, CancellationToken cancellationToken);
}

/// <summary>The accepting side of a transport.</summary>
public interface ILinkTransportListener : IAsyncDisposable
{
    /// <summary>Where it listens, in the form that <see cref="ILinkTransport.ConnectAsync"/> takes; a port of 0 has become a real one.</summary>
    string Endpoint { get; }

    /// <summary>The next connection and a name for it in logs; null once the listener is closed.</summary>
    /// <exception cref="IOException">This one failed; the next may not.</exception>
    ValueTask<(Stream Stream, string From)?> AcceptAsync();
}

/// <summary>Which transport an endpoint is of: "inproc:NAME" or "host:port".</summary>
public static class LinkTransport
{
    public static ILinkTransport For(string endpoint)
        => endpoint.StartsWith(InProcessTransport.Prefix, StringComparison.Ordinal) ? InProcessTransport.Instance : TcpTransport.Instance;
}
