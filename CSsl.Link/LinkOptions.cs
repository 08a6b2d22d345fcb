namespace CSsl.Link;

/// <summary>Sizes and times of the data link.</summary>
public sealed class LinkOptions
{
    /// <summary>Bytes of records that the peer may have on their way to this end, per channel. Each end tells the other when they connect.</summary>
    public int ChannelCredit { get; set; } = 256 * 1024;

    /// <summary>Bytes that one channel may send before the next one has its turn; from <see cref="LinkChannel.MinimumRoom"/> to <see cref="LinkChannel.MaxPayload"/>.</summary>
    public int TurnBytes { get; set; } = 64 * 1024;

    /// <summary>Bytes gathered for one system call; the last turn of a batch may exceed it.</summary>
    public int BatchBytes { get; set; } = 256 * 1024;

    /// <summary>Time between two pings.</summary>
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Without a byte from the peer for so long, the link is broken. At least two ping intervals.</summary>
    public TimeSpan PeerTimeout { get; set; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>For connecting, and again for proving the cluster key.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Checks every value against its limits.</summary>
    /// <exception cref="ArgumentException">Names the option and its limits.</exception>
    public void Validate()
    {
        InRange(nameof(ChannelCredit), ChannelCredit, 1, 64 * 1024 * 1024);
        InRange(nameof(TurnBytes), TurnBytes, LinkChannel.MinimumRoom, LinkChannel.MaxPayload);
        InRange(nameof(BatchBytes), BatchBytes, 1, 16 * 1024 * 1024);
        InRange(nameof(PingInterval), PingInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        InRange(nameof(PeerTimeout), PeerTimeout, 2 * PingInterval, TimeSpan.FromDays(1));
        InRange(nameof(ConnectTimeout), ConnectTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
    }

    private static void InRange<T>(string option, T value, T least, T most) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            throw new ArgumentException($"Link:{option} is {value}; it must be from {least} to {most}.");
    }
}
