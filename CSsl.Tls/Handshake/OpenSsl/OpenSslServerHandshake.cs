using System.Buffers;
using System.Buffers.Binary;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;

namespace CSsl.Tls.Handshake.OpenSsl;

/// <summary>A server-side handshake run by OpenSSL over memory BIOs.</summary>
/// <remarks>
/// Records go in one at a time, so that OpenSSL never reads past the client's Finished. That record ends the handshake in TLS 1.3
/// and in a resumed TLS 1.2 handshake; in a full TLS 1.2 handshake the server's answer to it (ChangeCipherSpec, Finished) does,
/// which OpenSSL writes in the same step.
/// </remarks>
public sealed class OpenSslServerHandshake : IServerHandshake
{
    private readonly SafeSslHandle _ssl;
    private readonly CallbackState _state;
    private readonly string? _serverName;
    private readonly TimeProvider _clock;

    private ClientFlight _clientFlight;
    private ServerFlight _flight;
    private HandshakeStatus _status = HandshakeStatus.NeedMore;
    private string? _error;
    private HandshakeFailure _failure;
    private ExportedSession? _session;
    private bool _disposed;

    internal OpenSslServerHandshake(SafeSslContextHandle context, CallbackState state, string? serverName, TimeProvider clock)
    {
        _serverName = serverName;
        _clock = clock;
        _state = state;
        _ssl = SafeSslHandle.Create(context, _state);
    }

    /// <summary>Feeds whole records, one at a time, until they are used up or the handshake is complete.</summary>
    /// <param name="records">What the client sent; an incomplete record at the end is not consumed.</param>
    /// <param name="output">Gets whole records for the client.</param>
    /// <remarks>Never throws for what a client sent: a failure is <see cref="HandshakeStatus.Failed"/>, and stays.</remarks>
    public HandshakeStep Advance(ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        ObjectDisposedException.ThrowIf(_disposed, this);

        int consumed = 0, written = 0;
        while (_status == HandshakeStatus.NeedMore && TryTakeRecord(records[consumed..], out var record))
        {
            consumed += record.Length;
            written += Step(record, output);
        }

        return new HandshakeStep(_status, consumed, written, _error, _failure);
    }

    /// <inheritdoc/>
    public ExportedSession Export()
    {
        if (_session is not { } session)
        {
            throw new InvalidOperationException(
                _status == HandshakeStatus.Complete ? "The session was exported already." : "The handshake is not complete.");
        }

        _session = null;
        return session;
    }

    /// <inheritdoc/>
    public NamedGroup? Group { get; private set; }

    /// <inheritdoc/>
    public ResumableSession? TakeResumable() => _status == HandshakeStatus.Complete ? _state.TakeMade() : null;

    /// <summary>Wipes what is left: the handshake's keys, and the session if nobody took it.</summary>
    public void Dispose()
    {
        _disposed = true;
        _session?.Dispose();
        _session = null;
        Close();
        _state.Dispose();
    }

    /// <summary>The first record, if it is whole. Of one above the limit the header alone: OpenSSL refuses it with record_overflow.</summary>
    private static bool TryTakeRecord(ReadOnlySpan<byte> input, out ReadOnlySpan<byte> record)
    {
        record = default;
        if (input.Length < RecordHeader.Size)
            return false;

        var length = BinaryPrimitives.ReadUInt16BigEndian(input[3..]);
        var taken = length > RecordHeader.MaxCiphertext12 ? RecordHeader.Size : RecordHeader.Size + length;
        if (input.Length < taken)
            return false;
        record = input[..taken];
        return true;
    }

    /// <summary>One record in, whatever OpenSSL answers out; sets the status.</summary>
    private int Step(ReadOnlySpan<byte> record, IBufferWriter<byte> output)
    {
        _ssl.Feed(record);
        _clientFlight.Observe((ContentType)record[0]);
        _flight.BeginStep();
        LibCrypto.ERR_clear_error();
        var result = LibSsl.SSL_do_handshake(_ssl);
        var error = result == 1 ? 0 : LibSsl.SSL_get_error(_ssl, result);
        HandshakeFailure? failure = null;
        var cause = error is 0 or LibSsl.ErrorWantRead ? null : OpenSslError.Take(_ssl, out failure);
        var written = _ssl.Drain(output, ref _flight);

        if (result == 1)
            Complete();
        else if (error != LibSsl.ErrorWantRead)
            Fail(failure ?? (error == LibSsl.ErrorZeroReturn ? HandshakeFailure.ClientAlert : HandshakeFailure.Internal),
                cause ?? (error == LibSsl.ErrorZeroReturn ? "the client closed during the handshake" : $"OpenSSL error {error}"));
        else if (record.Length == RecordHeader.Size && record[3..5] is not [0, 0])
            Fail(HandshakeFailure.Malformed, "a record above the limit");
        return written;
    }

    private void Complete()
    {
        if (_state.Secrets.Fault is { } fault)
        {
            Fail(HandshakeFailure.Internal, fault);
            return;
        }

        // It would be lost: a record is read by OpenSSL or by the data phase, never by both.
        if (LibSsl.SSL_has_pending(_ssl) != 0)
        {
            Fail(HandshakeFailure.Malformed, "more than Finished is in the client's last record");
            return;
        }

        try
        {
            _session = SessionExporter.Export(_ssl, _state, _clientFlight, _flight, _serverName, _clock.GetUtcNow());
            Group = SessionExporter.Group(_ssl);
            _status = HandshakeStatus.Complete;
            Close();
        }
        catch (InvalidOperationException exception)
        {
            Fail(HandshakeFailure.Internal, exception.Message);
        }
    }

    private void Fail(HandshakeFailure failure, string error)
    {
        _status = HandshakeStatus.Failed;
        _failure = failure;
        _error = error;
        Close();
    }

    /// <summary>Frees OpenSSL's state: from here on nothing can be written under the session's keys but by whoever holds the export.</summary>
    private void Close()
    {
        _ssl.Dispose();
        _state.Close();
    }
}
