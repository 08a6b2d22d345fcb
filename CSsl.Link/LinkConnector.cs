namespace CSsl.Link;

/// <summary>The gateway's way to a silo: connects and authenticates.</summary>
public static class LinkConnector
{
    /// <summary>Returns the link; <see cref="DataLink.RunAsync"/> starts it.</summary>
    /// <param name="endpoint">What <see cref="LinkListener.Endpoint"/> says.</param>
    /// <param name="setup">This process.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">No connection, a peer that is not of this cluster, or either not in time.</exception>
    /// <exception cref="OperationCanceledException">This end gave up.</exception>
    public static async Task<DataLink> ConnectAsync(string endpoint, LinkSetup setup, CancellationToken cancellationToken)
    {
        setup.Options.Validate();
        var transport = LinkTransport.For(endpoint);
        var stream = await ConnectInTimeAsync(transport, endpoint, setup, cancellationToken);
        var link = await DataLink.ConnectAsync(stream, setup.Self, setup.ClusterKey, acceptor: null, setup.Options, setup.Time, setup.EngineFor(transport), cancellationToken);
        link.Logger = setup.Logger;
        return link;
    }

    private static async Task<Stream> ConnectInTimeAsync(ILinkTransport transport, string endpoint, LinkSetup setup, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(setup.Options.ConnectTimeout, setup.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await transport.ConnectAsync(endpoint, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LinkException($"No connection to {endpoint} within {setup.Options.ConnectTimeout.TotalSeconds:0.###} s.", e);
        }
    }
}
