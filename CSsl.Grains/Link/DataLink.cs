namespace CSsl.Grains.Link;

/// <summary>Makes the silo's end of a channel that a gateway opens.</summary>
public interface ILinkAcceptor
{
    /// <summary>Called on the read loop with the frame that opens the channel; the frame is then given to the channel's OnFrame.
    /// Null refuses it (the peer gets Close).</summary>
    LinkChannel? Accept(DataLink link, FrameKind kind);
}

/// <summary>Who is at an end of a link.</summary>
/// <param name="Name">The process's name in the cluster.</param>
/// <param name="ClusterId">Both ends must belong to the same cluster.</param>
public sealed record LinkIdentity(string Name, string ClusterId);

/// <summary>
/// One connection between a gateway and a silo that carries many channels: mutually authenticated, multiplexed,
/// credited per channel, served round robin, and its own heartbeat.
/// </summary>
public sealed class DataLink : IAsyncDisposable
{
    /// <summary>Proves the cluster key to each other, over <paramref name="transport"/>, and returns the link; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="transport">A connected duplex stream; owned by the link from here on, also when this throws.</param>
    /// <param name="self">This end.</param>
    /// <param name="clusterKey">The key that both must know.</param>
    /// <param name="acceptor">The silo's end accepts channels; null at the gateway's end, which opens them.</param>
    /// <param name="options">Sizes and times.</param>
    /// <param name="time">The clock of heartbeats.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LinkException">The peer is not of this cluster, or not in time.</exception>
    public static Task<DataLink> ConnectAsync(Stream transport, LinkIdentity self, ReadOnlyMemory<byte> clusterKey, ILinkAcceptor? acceptor, LinkOptions options, TimeProvider time, CancellationToken cancellationToken)
        => throw new NotImplementedException();

    /// <summary>The other end.</summary>
    public LinkIdentity Peer => throw new NotImplementedException();

    /// <summary>Reads frames and keeps the heartbeat until the link ends; then every channel has had its OnLinkLost. Returns the reason; does not throw.</summary>
    public Task<LinkException> RunAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Gateway's end: opens a channel, and sends the frame that opens it.</summary>
    /// <exception cref="LinkException">The link is gone.</exception>
    public void Open(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    /// <summary>True until the link is lost.</summary>
    public bool IsAlive => throw new NotImplementedException();

    /// <summary>True once the peer has said <see cref="FrameKind.Goodbye"/>.</summary>
    public bool PeerLeaving => throw new NotImplementedException();

    /// <summary>Silo's end: no new channels, please.</summary>
    public void SayGoodbye() => throw new NotImplementedException();

    /// <summary>What this end puts in its pings (at most 256 bytes), and what the peer's last ping said.</summary>
    public ReadOnlyMemory<byte> Load { get; set; }

    public ReadOnlyMemory<byte> PeerLoad => throw new NotImplementedException();

    /// <summary>Counters since the start; written by the link's own threads, read by anyone.</summary>
    public LinkCounters Counters => throw new NotImplementedException();

    internal void RequestTurn(LinkChannel channel) => throw new NotImplementedException();

    internal void Send(LinkChannel channel, FrameKind kind, ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    internal void ReturnCredit(LinkChannel channel, int bytes) => throw new NotImplementedException();

    internal void Release(LinkChannel channel) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>What a link has done: "one system call carries records of many clients" is <c>RecordFramesSent / Sends</c>.</summary>
public readonly record struct LinkCounters(long Sends, long Receives, long FramesSent, long FramesReceived, long RecordFramesSent, long BytesSent, long BytesReceived);

/// <summary>The link can't be made, or ended: why.</summary>
public sealed class LinkException(string message, Exception? inner = null) : Exception(message, inner);
