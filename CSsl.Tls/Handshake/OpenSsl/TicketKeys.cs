using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>
/// The key under which session tickets are encrypted: name (16 bytes), HMAC-SHA-256 key (32), AES-256-CBC key (32).
/// Handshake silos that hold the same bytes resume each other's sessions.
/// </summary>
/// <remarks>The one place that knows how a context gets its ticket keys. A ring that rotates sets
/// SSL_CTX_set_tlsext_ticket_key_evp_cb here instead; the 80 bytes of a live context must not be replaced, for OpenSSL reads them without a lock.</remarks>
internal sealed class TicketKeys : IDisposable
{
    public const int Length = 80;

    private readonly SecretBytes _keys;

    /// <exception cref="ArgumentException">Not <see cref="Length"/> bytes.</exception>
    public TicketKeys(ReadOnlySpan<byte> keys)
    {
        if (keys.Length != Length)
            throw new ArgumentException($"Ticket keys are {Length} bytes.", nameof(keys));
        _keys = new SecretBytes(keys);
    }

    public unsafe void Apply(SafeSslContextHandle context)
    {
        fixed (byte* keys = _keys.Span)
            OpenSslError.ThrowUnlessOne(LibSsl.SSL_CTX_ctrl(context, LibSsl.CtrlSetTicketKeys, Length, keys), "SSL_CTX_set_tlsext_ticket_keys");
    }

    public void Dispose() => _keys.Dispose();
}
