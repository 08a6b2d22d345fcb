namespace CSsl.Link;

/// <summary>Payload of <see cref="FrameKind.Close"/>: one byte.</summary>
public readonly record struct Close(CloseReason Reason)
{
    public byte[] Encode() => [(byte)Reason];

    /// <exception cref="LinkException">Not such a payload.</exception>
    public static Close Decode(ReadOnlySpan<byte> payload)
    {
        var reader = PayloadFields.ReaderOf(payload);
        var reason = (CloseReason)reader.U8();
        if (reason > CloseReason.Superseded)
            reader.Fail("has an unknown reason");
        reader.Complete(nameof(Close));
        return new Close(reason);
    }
}

/// <summary>Why a channel was closed.</summary>
public enum CloseReason : byte
{
    /// <summary>Both directions were finished in order: FIN.</summary>
    Done = 0,

    /// <summary>The application or the peer gave up in the middle: reset, so that no client takes what it has for the whole.</summary>
    Aborted = 1,

    /// <summary>The client's bytes broke the protocol; an alert was sent before this.</summary>
    ProtocolError = 2,

    /// <summary>The silo does not take the channel: leaving, full, or not of that role.</summary>
    Refused = 3,

    /// <summary>The capsule could not be opened.</summary>
    BadCapsule = 4,

    /// <summary>The client is gone.</summary>
    ClientGone = 5,

    /// <summary>G to S: another silo goes on with the session.</summary>
    HandedOver = 6,

    /// <summary>S to G: the capsule was sealed longer ago than <c>Cluster:CapsuleLifetime</c>, or will be sealed only later, by this silo's clock.</summary>
    TooOld = 7,

    /// <summary>S to G: there is a newer attach of this session, or one that is as new, elsewhere.</summary>
    Superseded = 8,
}
