namespace CSsl.Grains.Link;

/// <summary>
/// One client connection on a data link; the base of what either end keeps for it.
/// Frames arrive through the On methods, on the link's read loop, one at a time: they must not block.
/// Records leave through <see cref="Fill"/>, when it is this channel's turn; frames of other kinds through <see cref="Send"/>.
/// </summary>
public abstract class LinkChannel
{
    /// <summary>The link; set before the first frame.</summary>
    public DataLink Link { get; internal set; } = null!;

    /// <summary>Number of the channel on its link, chosen by the gateway, never used twice on one link.</summary>
    public uint Id { get; internal set; }

    /// <summary>A frame of this channel. The payload is valid during the call only.</summary>
    /// <remarks>Window frames never get here. An exception closes the channel (both ends), not the link.</remarks>
    protected internal abstract void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload);

    /// <summary>Called once after the frames that one read of the socket brought for this channel: the time to flush what they caused.</summary>
    protected internal virtual void OnBatchEnd()
    {
    }

    /// <summary>The link is gone, and the channel with it. Called once, and nothing is called after it.</summary>
    protected internal abstract void OnLinkLost(Exception reason);

    /// <summary>This channel's turn: puts whole records at the start of <paramref name="room"/>, in the link's own send buffer, and returns their length.</summary>
    /// <remarks>Called by whoever sends for all, never twice at once for one channel. <paramref name="room"/> is at least 17 KiB;
    /// the channel has its next turn after <see cref="RequestTurn"/> was called again (which may be done from here).</remarks>
    protected internal virtual int Fill(Span<byte> room) => 0;

    /// <summary>Asks for a turn to send records. Cheap, from any thread; several requests before the turn are one.
    /// Without credit the turn comes when the peer has given some back.</summary>
    protected void RequestTurn() => Link.RequestTurn(this);

    /// <summary>Sends a frame that needs no credit. Keeps its place: after the records of earlier turns, before those of later ones.</summary>
    protected void Send(FrameKind kind, ReadOnlySpan<byte> payload) => Link.Send(this, kind, payload);

    /// <summary>Says that <paramref name="bytes"/> of received records left this process's memory: the peer may send as many more. From any thread.</summary>
    protected void ReturnCredit(int bytes) => Link.ReturnCredit(this, bytes);

    /// <summary>Forgets the channel at this end: late frames for it are dropped. Does not tell the peer (send Close first).</summary>
    protected void Release() => Link.Release(this);
}
