using CSsl.Tls.Sessions;

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

/// <summary>
/// The data phase of one connection, from the server's side: everything after the handshake. Does no I/O.
/// The read half (<see cref="Read"/>) and the write half (all others) may run on two threads, each on one at a time.
/// </summary>
public sealed class DataPhase : IDisposable
{
    /// <summary>Takes over the session's secrets; the session is consumed and must not be used again.</summary>
    public DataPhase(ExportedSession session) => throw new NotImplementedException();

    public TlsVersion Version => throw new NotImplementedException();
    public CipherSuite CipherSuite => throw new NotImplementedException();

    /// <summary>Opens one whole record; handles alerts, KeyUpdate, renegotiation requests and other post-handshake messages.</summary>
    /// <param name="record">One record, header included.</param>
    /// <param name="plaintext">At least as long as the record.</param>
    /// <param name="written">Bytes of application data in <paramref name="plaintext"/>.</param>
    /// <exception cref="TlsException">Fatal: send <see cref="TlsException.Alert"/> with <see cref="WriteAlert"/> and close.
    /// When the client itself sent the fatal alert, <see cref="ReceivedFatalAlert"/> is set and nothing need be sent.</exception>
    public ReadStatus Read(ReadOnlySpan<byte> record, Span<byte> plaintext, out int written) => throw new NotImplementedException();

    /// <summary>The fatal alert that the client sent, if it sent one.</summary>
    public AlertDescription? ReceivedFatalAlert => throw new NotImplementedException();

    /// <summary>True while an answer of TLS itself waits to be sent (KeyUpdate, no_renegotiation). Safe to read on any thread.</summary>
    public bool HasPending => throw new NotImplementedException();

    /// <summary>Writes what TLS itself has to send, whole records; returns their length, 0 if there is none. Needs 256 bytes of room.</summary>
    public int WritePending(Span<byte> destination) => throw new NotImplementedException();

    /// <summary>See <see cref="RecordWriteState"/>: layout, limits and overhead of outgoing records.</summary>
    public RecordWriteState Writer => throw new NotImplementedException();

    /// <summary>Writes one alert record (close_notify: warning; others: fatal); returns its length. Needs 256 bytes of room.</summary>
    public int WriteAlert(AlertDescription alert, Span<byte> destination) => throw new NotImplementedException();

    /// <summary>Records opened in all (the gateway's client counter must agree). Counts over key updates.</summary>
    public ulong RecordsOpened => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
