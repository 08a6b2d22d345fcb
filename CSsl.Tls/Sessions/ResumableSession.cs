namespace CSsl.Tls.Sessions;

/// <summary>A TLS 1.2 session that a client can resume by its id. Wiped on dispose.</summary>
/// <param name="id">The session id; public, it goes over the wire in clear.</param>
/// <param name="content">The session as the handshake library keeps it (i2d_SSL_SESSION), master secret and all; takes ownership.</param>
public sealed class ResumableSession(byte[] id, SecretBytes content) : IDisposable
{
    /// <summary>The most bytes of a session; a longer one (a client's long certificate) is not kept.</summary>
    public const int MaxLength = 8 * 1024;

    /// <summary>What sessions are sealed as, bound to their id.</summary>
    public static SealingPurpose Purpose { get; } = new("c-ssl tls session 1", MaxLength);

    public byte[] Id { get; } = id;

    public ReadOnlySpan<byte> Content => content.Span;

    public void Dispose() => content.Dispose();
}
