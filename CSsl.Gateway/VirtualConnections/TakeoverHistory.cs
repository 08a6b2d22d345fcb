using CSsl.Link;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>What a connection has been through, as far as the next silo must know it or a limit counts it. Used by one thread at a time.</summary>
internal sealed class TakeoverHistory
{
    // Records that were passed to a silo that was lost since.
    private ulong _seenByLost;

    // What the client had when a silo was last lost.
    private ulong _deliveredAtLoss;

    // Where things stood when an attach was last counted.
    private (ulong Checkpoint, ulong Bytes) _progress;
    private int _withoutProgress;

    /// <summary>Silos that were lost with the connection in their hands.</summary>
    public int Takeovers { get; private set; }

    /// <summary>A silo is lost: it may have sealed records that the client never got.</summary>
    /// <returns>How many that makes.</returns>
    public int Lose(ReplayBuffer received, SentToClient sent)
    {
        _seenByLost = received.End;
        _deliveredAtLoss = sent.Records;
        return ++Takeovers;
    }

    /// <summary>A silo has let go in the middle, after everything that it sealed: of the client's records from <paramref name="unseenFrom"/> on it has passed no request on.</summary>
    public void HandOver(ulong unseenFrom, SentToClient sent)
    {
        _seenByLost = Math.Max(_seenByLost, unseenFrom);
        _deliveredAtLoss = sent.Records;
        Takeovers++;
    }

    /// <summary>Counts an attach that follows another one; returns how many there were in a row without a checkpoint or a byte for the client between.</summary>
    public int CountAttach(ReplayBuffer received, SentToClient sent)
    {
        var progress = (received.Checkpoint, sent.Bytes);
        _withoutProgress = progress == _progress ? _withoutProgress + 1 : 1;
        _progress = progress;
        return _withoutProgress;
    }

    /// <summary>Puts into an attach what only a takeover says, if it is one.</summary>
    /// <param name="attach">With its sequences.</param>
    /// <param name="received">The client's half.</param>
    /// <param name="sent">The server's half.</param>
    /// <remarks>A silo that was lost may have used the next record's nonce. So until the client has got a record from another one, every attach is a
    /// takeover, also when that other one let go at once: the next must change the key first.</remarks>
    public Attach Describe(Attach attach, ReplayBuffer received, SentToClient sent)
    {
        var replayed = received.IsReplayable && _seenByLost > received.Checkpoint ? _seenByLost - received.Checkpoint : 0;
        var needsNewKey = Takeovers > 0 && sent.Records == _deliveredAtLoss;
        attach = attach with { Takeovers = (ushort)Takeovers };
        return !needsNewKey && replayed == 0 && received.IsReplayable && sent.BytesSinceCheckpoint == 0 ? attach : attach with
        {
            Cause = AttachCause.Takeover,
            ReplayRecords = (int)replayed,
            IsReplayable = received.IsReplayable,
            DeliveredBytes = sent.BytesSinceCheckpoint,
            Response = sent.Note,
        };
    }
}
