using CSsl.Tls.Engines;
using CSsl.Tls.Records;

namespace CSsl.Link;

/// <summary>
/// One client connection on a data link; the base of what either end keeps for it.
/// Frames arrive through the On methods, on the link's read loop, one at a time: they must not block.
/// Records leave through <see cref="Fill(Span{byte})"/>, when it is this channel's turn; frames of other kinds through <see cref="Send"/>.
/// </summary>
/// <remarks>
/// <see cref="RequestTurn"/> may run other channels' <see cref="Fill(Span{byte})"/> on the calling thread, and so may <see cref="Send"/> and
/// <see cref="ReturnCredit"/>: call them without holding a lock that a Fill needs. From the On methods and from Fill itself they only queue.
/// </remarks>
public abstract class LinkChannel
{
    /// <summary>The least room that <see cref="Fill(Span{byte})"/> is offered: one whole record of the largest size that TLS 1.2 allows (RFC 5246 section 6.2.3), and the prefix before it.</summary>
    public const int MinimumRoom = RecordsPrefix.Length + RecordHeader.Size + RecordHeader.MaxCiphertext12;

    /// <summary>The most bytes in one frame's payload: a ClientHello of any length fits into one (<see cref="Tls.Handshake.ClientHelloRecords.MaxLength"/>).</summary>
    public const int MaxPayload = 144 * 1024;

    /// <summary>Guarded by the gate of the link's sender.</summary>
    internal ChannelTurn Turn;

    /// <summary>Records received and credit returned.</summary>
    internal ReceiveCredit Received;

    /// <summary>The read loop's own: the channel had a frame in the batch that is being dispatched.</summary>
    internal bool InBatch;

    /// <summary>The read loop's own: records of the channel wait to be opened.</summary>
    internal bool IsOpening;

    private ChannelLife _life;

    /// <summary>The link; set before the first frame.</summary>
    public DataLink Link { get; private set; } = null!;

    /// <summary>Number of the channel on its link, chosen by the gateway, never used twice on one link.</summary>
    public uint Id { get; private set; }

    /// <summary>A frame of this channel. The payload is valid during the call only.</summary>
    /// <remarks>Window frames never get here. An exception closes the channel (both ends), not the link: the peer gets Close(Aborted),
    /// this end <see cref="OnLinkLost"/>.</remarks>
    protected internal abstract void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload);

    /// <summary>Called once after the frames that one read of the socket brought for this channel: the time to flush what they caused.
    /// Also when one of them made the channel call <see cref="Release"/>.</summary>
    protected internal virtual void OnBatchEnd()
    {
    }

    /// <summary>The channel is over through no frame of the peer: the link is gone, or this channel broke the rules (it threw, or the peer
    /// overran its credit). Called once, and nothing is called after it. Not called after <see cref="Release"/>.</summary>
    protected internal abstract void OnLinkLost(Exception reason);

    /// <summary>This channel's turn: puts whole records at the start of <paramref name="room"/>, in the link's own send buffer, and returns their length.</summary>
    /// <remarks>Called by whoever sends for all, never twice at once for one channel, and never after a frame that ends the channel was sent.
    /// It must not block. <paramref name="room"/> is at least <see cref="MinimumRoom"/>;
    /// the channel has its next turn after <see cref="RequestTurn"/> was called again (which may be done from here).</remarks>
    protected internal virtual int Fill(Span<byte> room) => 0;

    /// <summary>As <see cref="Fill(Span{byte})"/>, for a channel that seals: it lays its records out, and the jobs that it adds to the batch seal them,
    /// with those of other channels, before anything is sent. The memory of <paramref name="room"/> does not move until then.</summary>
    /// <param name="room">As there.</param>
    /// <param name="sealing">The link's batch; a job per record.</param>
    protected internal virtual int Fill(Span<byte> room, RecordBatch sealing) => Fill(room);

    /// <summary>Whole records that the peer sent. A channel that opens them adds a job per record to the batch, and gets each back through
    /// <see cref="OnOpened"/>, in this order and before any other frame; to the others they are a frame.</summary>
    /// <param name="records">The payload of a Records frame; this memory and that of <paramref name="plaintext"/> is the channel's until the last of its jobs is completed.</param>
    /// <param name="plaintext">Room for what they hold, as long as they; empty at a link that opens none.</param>
    /// <param name="opening">The link's batch.</param>
    protected internal virtual void OnRecords(ReadOnlySpan<byte> records, Span<byte> plaintext, RecordBatch opening) => OnFrame(FrameKind.Records, records);

    /// <summary>The engine has run a job that <see cref="OnRecords"/> added: complete it.</summary>
    protected internal virtual void OnOpened(ref RecordJob job) => throw new InvalidOperationException("This channel opens no records.");

    /// <summary>Bytes of records that this end has sent in earlier turns and the peer has not given the credit of back. To be read in a turn; later it can only have become less.</summary>
    protected int UnreturnedBytes => Link.PeerCredit - Volatile.Read(ref Turn.Credit);

    /// <summary>Asks for a turn to send records. Cheap, from any thread; several requests before the turn are one.
    /// Without credit the turn comes when the peer has given some back.</summary>
    protected void RequestTurn() => Link.RequestTurn(this);

    /// <summary>Sends a frame that needs no credit. Keeps its place: after the records of earlier turns, before those of later ones;
    /// sent during a turn (from <see cref="Fill(Span{byte})"/> or beside it), after that turn's records. After a frame that ends the channel
    /// (Close, Detach, Established) nothing more is sent, and no turn is given.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="payload">Copied.</param>
    /// <param name="hurried">False: nobody waits for it, and it may go with the next frame or turn of any channel, at the latest with the next ping.</param>
    /// <exception cref="ArgumentException">Not a kind that this end sends on a channel, or the payload is too long.</exception>
    protected void Send(FrameKind kind, ReadOnlySpan<byte> payload, bool hurried = true) => Link.Send(this, kind, payload, hurried);

    /// <summary>Says that <paramref name="bytes"/> of received records left this process's memory: the peer may send as many more. From any thread.</summary>
    /// <exception cref="InvalidOperationException">More came back than was received.</exception>
    protected void ReturnCredit(int bytes) => Link.ReturnCredit(this, bytes);

    /// <summary>Forgets the channel at this end: late frames for it are dropped. Does not tell the peer (send Close first).</summary>
    protected void Release() => Link.Release(this);

    internal void Join(DataLink link, uint id, int sendCredit, int receiveCredit)
    {
        if (Link is not null)
            throw new InvalidOperationException("A channel is opened once.");
        (Link, Id) = (link, id);
        Turn.Credit = sendCredit;
        Received = new ReceiveCredit(receiveCredit);
    }

    /// <summary>True: the caller may call On methods or Fill, and calls <see cref="Leave"/> after that.</summary>
    internal bool TryEnter() => _life.TryEnter(this);

    internal void Leave() => _life.Leave(this);

    /// <summary><see cref="OnLinkLost"/>, now or when the last caller has left.</summary>
    internal void Lose(LinkException reason) => _life.Lose(this, reason);
}
