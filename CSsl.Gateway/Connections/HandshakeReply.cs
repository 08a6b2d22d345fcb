using CSsl.Link;
using CSsl.Tls.Handshake;

namespace CSsl.Gateway.Connections;

/// <summary>How one exchange with a handshake silo ended.</summary>
internal enum HandshakeOutcome
{
    /// <summary>Go on with the client's next records.</summary>
    Continue,

    /// <summary>The handshake is complete.</summary>
    Established,

    /// <summary>The handshake failed; an alert for the client may be among the records.</summary>
    Failed,

    /// <summary>The silo does not take it (leaving, full, not of that role), or its link was lost.</summary>
    Lost,

    /// <summary><see cref="HandshakeChannel.Interrupt"/> was called.</summary>
    Interrupted,
}

/// <summary>The answer to one exchange. Its records for the client are in the client's output pipe already, not flushed.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Consumed">Bytes of the records sent that were consumed.</param>
/// <param name="Written">Bytes for the client.</param>
/// <param name="Failure">With <see cref="HandshakeOutcome.Failed"/>: of which kind; may be a number that this gateway does not know.</param>
/// <param name="Detail">With <see cref="HandshakeOutcome.Failed"/>: what else the silo says.</param>
/// <param name="Established">With <see cref="HandshakeOutcome.Established"/>; its records are not in it any more.</param>
internal readonly record struct HandshakeReply(
    HandshakeOutcome Outcome, int Consumed = 0, int Written = 0, HandshakeFailure Failure = HandshakeFailure.None, string Detail = "", Established? Established = null);
