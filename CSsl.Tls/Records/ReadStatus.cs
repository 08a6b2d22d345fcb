namespace CSsl.Tls.Records;

/// <summary>What the caller of <see cref="DataPhase.Read"/> does next.</summary>
public enum ReadStatus
{
    /// <summary>Plaintext was written for the application (its length may be 0).</summary>
    ApplicationData,

    /// <summary>The record was for TLS itself and needs no answer.</summary>
    Handled,

    /// <summary>The record was for TLS itself and needs an answer: ask for a turn to send and call <see cref="DataPhase.WritePending"/>.</summary>
    ReplyPending,

    /// <summary>The client sent close_notify: nothing more will be read; the other direction stays open (RFC 8446 section 6.1).</summary>
    CloseNotify,
}
