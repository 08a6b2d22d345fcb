using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>What OpenSSL's callbacks reach of one handshake.</summary>
/// <param name="ticketKeys">The factory's.</param>
/// <param name="offered">The session that the client asks for by id, if there is one; takes ownership.</param>
internal sealed unsafe class CallbackState(TicketKeys ticketKeys, SafeSessionHandle? offered = null) : IDisposable
{
    private ResumableSession? _made;

    /// <summary>Where the key log goes.</summary>
    public TrafficSecrets Secrets { get; } = new();

    public TicketKeys TicketKeys { get; } = ticketKeys;

    /// <summary>The session of the id that the client sent; null without one. The caller frees it; it is given once.</summary>
    public nint TakeOffered(ReadOnlySpan<byte> id)
        => offered is { IsClosed: false } && SafeSessionHandle.IdOf(offered.DangerousGetHandle()).SequenceEqual(id) ? offered.Take() : 0;

    /// <summary>Copies a session that was made, if it can be resumed by an id of ours.</summary>
    public void Keep(nint session)
    {
        // TLS 1.3 makes one with each ticket.
        var id = SafeSessionHandle.IdOf(session);
        if (LibSsl.SSL_SESSION_get_protocol_version(session) != (int)TlsVersion.Tls12 || !TicketKeys.IsOurSessionId(id))
            return;
        var length = LibSsl.i2d_SSL_SESSION(session, null);
        if (length is <= 0 or > ResumableSession.MaxLength)
            return;

        var content = new SecretBytes(length);
        fixed (byte* destination = content.Span)
        {
            var position = destination;
            _ = LibSsl.i2d_SSL_SESSION(session, &position);
        }

        _made?.Dispose();
        _made = new ResumableSession(id.ToArray(), content);
    }

    /// <summary>The session that was made; the caller's to dispose, and given once.</summary>
    public ResumableSession? TakeMade()
    {
        var made = _made;
        _made = null;
        return made;
    }

    /// <summary>The handshake is over; what it made is kept for <see cref="TakeMade"/>.</summary>
    public void Close()
    {
        Secrets.Dispose();
        offered?.Dispose();
    }

    public void Dispose()
    {
        Close();
        TakeMade()?.Dispose();
    }
}
