namespace CSsl.Grains.Link;

/// <summary>Sizes and times of the data link. Both ends must agree on <see cref="ChannelCredit"/>.</summary>
public sealed class LinkOptions
{
    /// <summary>Bytes of records that may be on their way per channel and direction.</summary>
    public int ChannelCredit { get; set; } = 256 * 1024;

    /// <summary>Bytes that one channel may send before the next one has its turn.</summary>
    public int TurnBytes { get; set; } = 64 * 1024;

    /// <summary>Bytes gathered for one system call.</summary>
    public int BatchBytes { get; set; } = 256 * 1024;

    /// <summary>Time between two pings.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Without a byte from the peer for so long, the link is broken.</summary>
    public TimeSpan PeerTimeout { get; set; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>For connecting and proving the cluster key.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
