using System.Buffers;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake;

/// <summary>What the caller of <see cref="IServerHandshake.Advance"/> does next.</summary>
public enum HandshakeStatus
{
    /// <summary>Send what was written; come back with more records.</summary>
    NeedMore,

    /// <summary>Send what was written; then <see cref="IServerHandshake.Export"/>. Input that was not consumed belongs to the data phase.</summary>
    Complete,

    /// <summary>Send what was written (an alert, if any) and close.</summary>
    Failed,
}

/// <summary>The result of one step.</summary>
/// <param name="Status">What to do next.</param>
/// <param name="Consumed">Bytes of input consumed: whole records.</param>
/// <param name="Written">Bytes appended to the output: whole records.</param>
/// <param name="Error">With <see cref="HandshakeStatus.Failed"/>: the cause, for the log; never a secret.</param>
/// <param name="Failure">With <see cref="HandshakeStatus.Failed"/>: of which kind the cause is.</param>
public readonly record struct HandshakeStep(HandshakeStatus Status, int Consumed, int Written, string? Error = null, HandshakeFailure Failure = HandshakeFailure.None);

/// <summary>One server-side TLS handshake. Does no I/O; not thread-safe.</summary>
public interface IServerHandshake : IDisposable
{
    /// <summary>Feeds whole records, one at a time, until they are used up or the handshake is complete.</summary>
    HandshakeStep Advance(ReadOnlySpan<byte> records, IBufferWriter<byte> output);

    /// <summary>Hands the finished session over. Consumes: the handshake is closed and wiped, and a second call throws.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or was exported already.</exception>
    ExportedSession Export();

    /// <summary>The group of the key exchange, after <see cref="HandshakeStatus.Complete"/>; null when there was no exchange (a resumed TLS 1.2 session).</summary>
    NamedGroup? Group { get; }

    /// <summary>The session for its client to come back with, when a full TLS 1.2 handshake made one that has an id (with a ticket it has none);
    /// else null. Given once, after <see cref="HandshakeStatus.Complete"/>; the caller's to dispose.</summary>
    ResumableSession? TakeResumable();
}

/// <summary>Makes handshakes; holds the certificates and ticket keys. Thread-safe.</summary>
public interface IServerHandshakeFactory : IDisposable
{
    /// <summary>False while there are no keys to serve anybody with: <see cref="Create"/> would throw.</summary>
    bool IsOpen => true;

    /// <summary>Whether the client asks for a session by an id that the cluster made: the session is worth looking for.</summary>
    bool CanResume(ClientHello hello);

    /// <summary>Starts a handshake for the client whose hello was peeked: the certificate is chosen from it.</summary>
    /// <param name="hello">What the client offers.</param>
    /// <param name="stored">The <see cref="ResumableSession.Content"/> under the hello's session id; empty when there is none. What does not fit
    /// (another name, another certificate, expired) leads to a full handshake.</param>
    IServerHandshake Create(ClientHello hello, ReadOnlySpan<byte> stored = default);
}
