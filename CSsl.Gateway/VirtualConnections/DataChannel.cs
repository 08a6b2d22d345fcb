using CSsl.Gateway.Links;
using CSsl.Link;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>Why a silo does not have a connection any more.</summary>
internal enum ChannelEnd
{
    /// <summary>It has.</summary>
    None = 0,

    /// <summary>The silo has let go of a session at rest.</summary>
    Idle,

    /// <summary>The silo leaves.</summary>
    Drained,

    /// <summary>The silo did not take it.</summary>
    Refused,

    /// <summary>The silo could not open the capsule, or finds it too old.</summary>
    NotOpened,

    /// <summary>The silo has sent its last record, and Close.</summary>
    Done,

    /// <summary>The silo, or the application behind it, gave up.</summary>
    Aborted,

    /// <summary>The silo would have it go on elsewhere, in the middle.</summary>
    HandedOver,

    /// <summary>The link is gone, and who knows what became of the silo.</summary>
    Lost,

    /// <summary>The silo broke the rules of the channel.</summary>
    Faulted,
}

/// <summary>One connection at one silo: what comes on the link, sorted. The connection outlives it.</summary>
internal sealed class DataChannel(VirtualConnection connection, string silo) : LinkChannel
{
    private int _end;
    private bool _isToldToFinish;
    private string? _toldTarget;

    /// <summary>The silo's name.</summary>
    public string Silo { get; } = silo;

    /// <summary>Counts what becomes of the connections of this link should it be lost; set before the channel is open.</summary>
    public SiloLoss? Loss { get; set; }

    /// <summary>The silo serves the session.</summary>
    public bool IsAttached { get; private set; }

    /// <summary>Where the silo would have the session go on; null: anywhere. Once it is over.</summary>
    public string? Target { get; private set; }

    /// <summary>Of the client's records from this one on, a silo that has handed the session over has passed no request on.</summary>
    public ulong UnseenFrom { get; private set; }

    /// <summary>Bytes of the client's records that the silo has been sent and has not taken yet. In a turn.</summary>
    public int Untaken => UnreturnedBytes;

    /// <summary>Why it is over.</summary>
    public ChannelEnd End => (ChannelEnd)Volatile.Read(ref _end);

    /// <summary>The client or the gateway gives up: tells the silo.</summary>
    public void Abandon()
    {
        Send(FrameKind.Close, [(byte)CloseReason.ClientGone]);
        Release();
    }

    /// <summary>The pump from the client asks for a turn.</summary>
    public void RequestUpstreamTurn() => RequestTurn();

    /// <summary>The client will send nothing more.</summary>
    public void SendEof() => Send(FrameKind.Eof, []);

    /// <summary>The silo is to finish what is under way, and to end with close_notify; said once.</summary>
    public void SendFinish()
    {
        if (!_isToldToFinish)
            Send(FrameKind.Finish, []);
        _isToldToFinish = true;
    }

    /// <summary>The silo is to let the session go on at another one; said once.</summary>
    public void SendMove(string silo)
    {
        if (_toldTarget != silo)
            Send(FrameKind.Move, new MoveTarget(silo).Encode());
        _toldTarget = silo;
    }

    /// <summary>Records have left for the client.</summary>
    public void OnFlushed(int bytes) => ReturnCredit(bytes);

    /// <inheritdoc/>
    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Records:
                connection.Downstream.Write(this, payload);
                break;
            case FrameKind.Attached:
                IsAttached = true;
                connection.OnAttached();
                break;
            case FrameKind.Checkpoint:
                var checkpoint = Checkpoint.Decode(payload);
                connection.OnCheckpoint(this, checkpoint.ClientRecord, checkpoint.ServerRecord, checkpoint.Capsule);
                break;
            case FrameKind.Rekeyed:
                connection.Downstream.Announce(this, Rekeyed.Decode(payload));
                break;
            case FrameKind.ResponseNote:
                connection.Downstream.Keep(this, ResponseNote.Decode(payload).Sealed);
                break;
            case FrameKind.Detach:
                var detach = Detach.Decode(payload);
                connection.OnCheckpoint(this, detach.ClientRecord, detach.ServerRecord, detach.Capsule);
                Target = detach.Silo;
                EndWith(detach.Reason == DetachReason.Idle ? ChannelEnd.Idle : ChannelEnd.Drained);
                break;
            case FrameKind.HandOver:
                OnHandOver(HandOver.Decode(payload));
                break;
            case FrameKind.Close:
                EndWith(Judge(Close.Decode(payload).Reason));
                break;
            default:
                throw new LinkException($"A frame of kind {kind} in the data phase.");
        }
    }

    /// <inheritdoc/>
    protected override void OnBatchEnd() => connection.Downstream.Flush();

    /// <inheritdoc/>
    protected override void OnLinkLost(Exception reason)
    {
        if (Link.IsAlive)
        {
            EndWith(ChannelEnd.Faulted);
            return;
        }

        Loss?.Count();
        EndWith(ChannelEnd.Lost);
    }

    /// <inheritdoc/>
    protected override int Fill(Span<byte> room) => connection.Upstream.Fill(this, room);

    private void OnHandOver(HandOver handOver)
    {
        if (!connection.Upstream.TryCloseReplayable(this))
        {
            Send(FrameKind.GoOn, []);
            return;
        }

        (Target, UnseenFrom) = (handOver.Silo, handOver.ClientRecord);
        Send(FrameKind.Close, [(byte)CloseReason.HandedOver]);
        EndWith(ChannelEnd.HandedOver);
    }

    private ChannelEnd Judge(CloseReason reason) => reason switch
    {
        CloseReason.Done or CloseReason.ProtocolError => ChannelEnd.Done,
        CloseReason.Refused when !IsAttached => ChannelEnd.Refused,
        CloseReason.BadCapsule or CloseReason.TooOld when !IsAttached => ChannelEnd.NotOpened,
        CloseReason.Refused or CloseReason.BadCapsule or CloseReason.TooOld => throw new LinkException($"The silo closed an attached channel with {reason}."),
        _ => ChannelEnd.Aborted,
    };

    private void EndWith(ChannelEnd end)
    {
        Release();
        Volatile.Write(ref _end, (int)end);
        connection.OnChannelEnded(this);
    }
}
