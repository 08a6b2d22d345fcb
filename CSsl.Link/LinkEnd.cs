namespace CSsl.Link;

/// <summary>The two ends of a link. The gateway's opens channels, the silo's accepts them.</summary>
[Flags]
internal enum LinkEnd : byte
{
    Neither = 0,
    Gateway = 1,
    Silo = 2,
    Both = Gateway | Silo,
}

/// <summary>Who may send what: the directions that <see cref="FrameKind"/> documents.</summary>
internal static class FrameRules
{
    /// <summary>The ends that may send frames of this kind; <see cref="LinkEnd.Neither"/> when there is no such kind.</summary>
    public static LinkEnd SentBy(FrameKind kind) => kind switch
    {
        FrameKind.Hello or FrameKind.Proof or FrameKind.Ping or FrameKind.Pong => LinkEnd.Both,
        FrameKind.Records or FrameKind.Window or FrameKind.Close => LinkEnd.Both,
        FrameKind.HandshakeStart or FrameKind.Handshake or FrameKind.Attach or FrameKind.Eof or FrameKind.Finish or FrameKind.Move or FrameKind.GoOn => LinkEnd.Gateway,
        FrameKind.Flight or FrameKind.Established or FrameKind.Attached => LinkEnd.Silo,
        FrameKind.Checkpoint or FrameKind.Detach or FrameKind.Rekeyed or FrameKind.ResponseNote or FrameKind.HandOver or FrameKind.Goodbye => LinkEnd.Silo,
        _ => LinkEnd.Neither,
    };

    /// <summary>Frames of channel 0.</summary>
    public static bool IsOfLink(FrameKind kind) => kind < FrameKind.HandshakeStart;

    /// <summary>Frames that open a channel.</summary>
    public static bool Opens(FrameKind kind) => kind is FrameKind.HandshakeStart or FrameKind.Attach;

    /// <summary>Frames after which their sender sends nothing more on the channel.</summary>
    public static bool Ends(FrameKind kind) => kind is FrameKind.Established or FrameKind.Detach or FrameKind.Close;
}
