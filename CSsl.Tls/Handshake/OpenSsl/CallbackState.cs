namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>What OpenSSL's callbacks reach of one handshake.</summary>
internal sealed class CallbackState(TicketKeys ticketKeys)
{
    /// <summary>Where the key log goes.</summary>
    public TrafficSecrets Secrets { get; } = new();

    public TicketKeys TicketKeys { get; } = ticketKeys;
}
