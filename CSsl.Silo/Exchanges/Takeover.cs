namespace CSsl.Silo.Exchanges;

/// <summary>What becomes of a request.</summary>
internal enum Verdict
{
    /// <summary>It is served.</summary>
    Serve,

    /// <summary>It is served again: an earlier silo may have passed it on, it may be done twice, and nothing of a response was delivered.</summary>
    Replay,

    /// <summary>The client has the whole response: nothing is sent and the origin is not asked.</summary>
    Skip,

    /// <summary>The client has a part of the body: the rest is asked of the origin.</summary>
    Resume,

    /// <summary>An earlier silo may have passed it on, it must not be done twice, and nothing of a response was delivered: 502.</summary>
    Refuse,

    /// <summary>The client speaks another protocol by now, whose state is lost: close_notify.</summary>
    EndInOrder,

    /// <summary>The client has a part of a response that can't go on: reset.</summary>
    Abort,
}

/// <summary>Where the client of a connection stands whose silo was lost in the middle of an exchange.</summary>
/// <param name="Delivered">Application bytes that the client has since the last checkpoint.</param>
/// <param name="Note">The newest note since then, or null.</param>
internal sealed record Takeover(long Delivered, ExchangeNote? Note)
{
    // Of a request behind that of the newest note nothing was delivered, unless more was than the note knows of: then a response without a note had begun.

    /// <summary>Judges a request whose whole head an earlier silo had seen. The others are new, and served.</summary>
    /// <param name="index">Which request since the checkpoint it is.</param>
    /// <param name="hash">Its <see cref="RequestHash"/>.</param>
    /// <param name="isIdempotent">It may be done twice (RFC 9110 section 9.2.2).</param>
    /// <param name="isUpgrade">It asked for another protocol.</param>
    public Verdict Judge(int index, UInt128 hash, bool isIdempotent, bool isUpgrade)
    {
        var again = isIdempotent ? Verdict.Replay : Verdict.Refuse;
        if (Delivered == 0)
            return again;
        if (Note is null)
            return isUpgrade ? Verdict.EndInOrder : Verdict.Abort;
        if (index < Note.Index)
            return Verdict.Skip;
        if (index > Note.Index)
            return Delivered <= Note.End ? again : Verdict.Abort;
        if (hash != Note.RequestHash || Delivered < Note.Begin)
            return Verdict.Abort;

        return Note.Kind switch
        {
            _ when Delivered == Note.Begin => again,
            NoteKind.Upgraded => Verdict.EndInOrder,
            NoteKind.Response when Delivered >= Note.End => Verdict.Skip,
            NoteKind.Response when Delivered >= Note.HeadEnd && Note.ValidatorKind != ValidatorKind.None => Verdict.Resume,
            _ => Verdict.Abort,
        };
    }
}
