namespace CSsl.Tls;

/// <summary>The peer broke the protocol. Carries the alert to send before closing.</summary>
/// <remarks>Misuse of the API by our own code throws <see cref="InvalidOperationException"/> or <see cref="ArgumentException"/> instead.</remarks>
public sealed class TlsException(AlertDescription alert, string message) : Exception(message)
{
    /// <summary>The fatal alert that tells the peer what it did.</summary>
    public AlertDescription Alert { get; } = alert;
}
