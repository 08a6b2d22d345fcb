namespace CSsl.Link;

/// <summary>Makes the silo's end of a channel that a gateway opens.</summary>
public interface ILinkAcceptor
{
    /// <summary>Called on the read loop with the frame that opens the channel; the frame is then given to the channel's OnFrame.
    /// Null refuses it (the peer gets Close); so does an exception.</summary>
    LinkChannel? Accept(DataLink link, FrameKind kind);
}
