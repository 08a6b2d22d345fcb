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
public readonly record struct HandshakeStep(HandshakeStatus Status, int Consumed, int Written, string? Error = null);

/// <summary>One server-side TLS handshake. Does no I/O; not thread-safe.</summary>
public interface IServerHandshake : IDisposable
{
    /// <summary>Feeds whole records, one at a time, until they are used up or the handshake is complete.</summary>
    HandshakeStep Advance(ReadOnlySpan<byte> records, IBufferWriter<byte> output);

    /// <summary>Hands the finished session over. Consumes: the handshake is closed and wiped, and a second call throws.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or was exported already.</exception>
    ExportedSession Export();
}

/// <summary>Makes handshakes; holds the certificates and ticket keys. Thread-safe.</summary>
public interface IServerHandshakeFactory : IDisposable
{
    /// <summary>Starts a handshake for the client whose hello was peeked: the certificate is chosen from it.</summary>
    IServerHandshake Create(ClientHello hello);
}
