using CSsl.Link;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>What a connection has been through, as far as the next silo must know it or a limit counts it. Used by one thread at a time.</summary>
internal sealed class TakeoverHistory
{
    // Records that were passed to a silo that was lost since.
    private ulong _seenByLost;

    // What the client had when a silo was last lost.
    private ulong _deliveredAtLoss;

    // Of the write keys after the capsule's, as it was then, a lost silo may have used so many. Negative: all of them are behind the capsule that there is now.
    private int _keysUsed = -1;
    private ulong _keysTakenAtLoss;

    // What the silo that has the session was told to do, and where the capsule was then.
    private int _keyUpdates;
    private ulong _keysTakenAtAttach;

    // Where things stood when an attach was last counted.
    private (ulong Checkpoint, ulong Bytes) _progress;
    private int _withoutProgress;

    /// <summary>Attaches so far: the number of the last one.</summary>
    public uint Generation { get; private set; }

    /// <summary>Silos that were lost with the connection in their hands.</summary>
    public int Takeovers { get; private set; }

    /// <summary>A silo is lost: it may have sealed records that the client never got.</summary>
    /// <returns>How many that makes.</returns>
    public int Lose(ReplayBuffer received, SentToClient sent)
    {
        _seenByLost = received.End;
        NoteLoss(sent);
        return ++Takeovers;
    }

    /// <summary>A silo has let go in the middle, after everything that it sealed: of the client's records from <paramref name="unseenFrom"/> on it has passed no request on.</summary>
    public void HandOver(ulong unseenFrom, SentToClient sent)
    {
        _seenByLost = Math.Max(_seenByLost, unseenFrom);
        NoteLoss(sent);
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

    /// <summary>Gives an attach its number, and puts into it what only a takeover says, if it is one.</summary>
    /// <param name="attach">With its sequences.</param>
    /// <param name="received">The client's half.</param>
    /// <param name="sent">The server's half.</param>
    /// <remarks>A silo that was lost may have used the next record's nonce. So until the client has got a record from another one, every attach is a
    /// takeover, also when that other one let go at once: the next must change the key first. It goes past all keys that those before it can have used, because each of them
    /// begins with the same sequence number: so it shares with any of them the number of a KeyUpdate, and no other.</remarks>
    public Attach Describe(Attach attach, ReplayBuffer received, SentToClient sent)
    {
        var replayed = received.IsReplayable && _seenByLost > received.Checkpoint ? _seenByLost - received.Checkpoint : 0;
        var needsNewKey = Takeovers > 0 && sent.Records == _deliveredAtLoss;
        _keyUpdates = needsNewKey ? Math.Min(KeysUsed(sent) + 1, byte.MaxValue) : 0;
        _keysTakenAtAttach = sent.KeysTaken;
        attach = attach with { Takeovers = (ushort)Takeovers, Generation = ++Generation };
        return !needsNewKey && replayed == 0 && received.IsReplayable && sent.BytesSinceCheckpoint == 0 ? attach : attach with
        {
            Cause = AttachCause.Takeover,
            KeyUpdates = (byte)_keyUpdates,
            ReplayRecords = (int)replayed,
            IsReplayable = received.IsReplayable,
            DeliveredBytes = sent.BytesSinceCheckpoint,
            Response = sent.Note,
        };
    }

    private void NoteLoss(SentToClient sent)
    {
        // Those that it had announced; and those that it was told to change, whether or not that was heard of.
        var own = Math.Max(sent.KeysForgotten, _keyUpdates - (int)Math.Min(sent.KeysTaken - _keysTakenAtAttach, int.MaxValue));
        _keysUsed = Math.Max(KeysUsed(sent), own);
        _keysTakenAtLoss = sent.KeysTaken;
        _deliveredAtLoss = sent.Records;
    }

    /// <summary>Of the keys after the capsule's of now; at least 0: the capsule's own.</summary>
    private int KeysUsed(SentToClient sent) => (int)Math.Max(0, _keysUsed - (long)(sent.KeysTaken - _keysTakenAtLoss));
}
