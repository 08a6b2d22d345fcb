using System.Diagnostics.CodeAnalysis;
using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using Microsoft.AspNetCore.Connections;

namespace CSsl.Silo.Transport;

/// <summary>
/// A session that this silo serves: records from and to its gateway on one side, plaintext from and to Kestrel on the other.
/// Records come opened from the link's read loop and are laid out in the link's turns, each direction behind its own gate; the application
/// runs on the thread pool and meets both only in its pipes.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "End, the one end of every connection, disposes the phase; Kestrel disposes the connection.")]
internal sealed partial class TlsConnection(TlsConnectionHost host) : LinkChannel, IServedSession, IDecryptedConnectionOwner, IExchangeOwner
{
    private readonly Lock _readGate = new();
    private readonly Lock _writeGate = new();
    private DataPhase? _phase;
    private RecordInput? _input;
    private RecordOutput? _output;
    private DecryptedConnection? _connection;

    // Null for HTTP/2, which has no checkpoints.
    private HttpExchanges? _exchanges;
    private SessionInfo? _info;
    private ReadOnlyMemory<byte> _resumptionId;
    private long _lastTurn;
    private volatile bool _applicationDone;
    private volatile bool _failing;
    private volatile bool _closeRequested;

    // The application never sees it. Used on the link's read loop.
    private bool _isUnseen;
    private int _ended;

    /// <inheritdoc/>
    public SessionInfo Info => _info ?? throw new InvalidOperationException("The session is not attached yet.");

    /// <inheritdoc/>
    public int Takeovers { get; private set; }

    /// <inheritdoc/>
    public TimeSpan Stalled => _applicationDone ? host.Time.GetElapsedTime(Volatile.Read(ref _lastTurn)) : TimeSpan.Zero;

    /// <summary>True while the application waits for input. Any thread may ask.</summary>
    internal bool IsInputAwaited => _connection is { IsInputAwaited: true };

    /// <inheritdoc/>
    public void RequestClose()
    {
        // Before the application has seen the connection, its first read asks again.
        _closeRequested = true;
        _connection?.TryRequestClose();
    }

    /// <inheritdoc/>
    public void Abort(string reason) => End(CloseReason.Aborted, new ConnectionAbortedException(reason));

    // An application that gives up because its input failed must not overtake the alert that says so.
    void IDecryptedConnectionOwner.Abort(string reason)
    {
        if (!_failing)
            Abort(reason);
    }

    void IDecryptedConnectionOwner.InputConsumed(int bytes)
    {
        _exchanges?.OnConsumed(bytes);
        if (Volatile.Read(ref _ended) == 0)
            ReturnCredit(bytes);
    }

    void IDecryptedConnectionOwner.CallbackFailed(Exception error) => host.LogCallbackFailed(Info.SessionId, error);

    void IDecryptedConnectionOwner.ApplicationDone()
    {
        Volatile.Write(ref _lastTurn, host.Time.GetTimestamp());
        _applicationDone = true;
    }

    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Attach when _phase is null:
                OnAttach(Attach.Decode(payload));
                break;
            case FrameKind.Eof:
                lock (_readGate)
                    _input?.Complete(null);
                break;
            case FrameKind.Finish when _phase is not null:
                RequestClose();
                break;
            case FrameKind.Move when _phase is not null:
                Move(MoveTarget.Decode(payload).Silo);
                break;
            case FrameKind.GoOn when _phase is not null:
                GoOn();
                break;
            case FrameKind.Close when Close.Decode(payload).Reason == CloseReason.HandedOver:
                host.Metrics.CountHandOver();
                End(null, new ConnectionResetException("another silo goes on with the session"));
                break;
            case FrameKind.Close:
                End(null, new ConnectionResetException("the client is gone"));
                break;
            default:
                throw new LinkException($"A {kind} frame is not expected here.");
        }
    }

    protected override void OnRecords(ReadOnlySpan<byte> records, Span<byte> plaintext, RecordBatch opening)
    {
        if (_phase is null)
            throw new LinkException("Records before Attach.");
        lock (_readGate)
        {
            if (Volatile.Read(ref _ended) == 0 && !_failing && !_isUnseen)
                _input!.Prepare(records, plaintext, opening);
        }
    }

    protected override void OnOpened(ref RecordJob job)
    {
        try
        {
            bool replyPending;
            lock (_readGate)
            {
                if (Volatile.Read(ref _ended) != 0 || _failing)
                    return;
                replyPending = _input!.Take(ref job);
            }

            if (replyPending)
                RequestTurn();
        }
        catch (TlsException e)
        {
            OnProtocolError(e);
        }
        catch (RecordEngineException e)
        {
            OnProtocolError(new TlsException(AlertDescription.InternalError, e.Message));
        }
    }

    protected override void OnBatchEnd()
    {
        OpenedRecords opened;
        lock (_readGate)
        {
            if (_input is null)
                return;
            opened = _input.Flush();
        }

        if (opened.Records > 0)
            host.Metrics.Opened(opened.Records, opened.Bytes);
        if (opened.Overhead > 0 && Volatile.Read(ref _ended) == 0)
            ReturnCredit(opened.Overhead);
        if (opened.Records > 0 && opened.Overhead == opened.Bytes)
            TryCheckpoint();
    }

    protected override void OnLinkLost(Exception reason) => End(null, new ConnectionResetException("the data link is lost", reason));

    protected override int Fill(Span<byte> room, RecordBatch sealing)
    {
        int bytes, records, plaintext;
        TurnOutcome outcome;
        lock (_writeGate)
        {
            if (Volatile.Read(ref _ended) != 0 || _output is null || _handingOver || IsKeyUpdateAnnounced())
                return 0;
            (bytes, records, plaintext) = _output.Fill(room[RecordsPrefix.Length..], sealing, out outcome);
            _sent += plaintext;
        }

        RecordsPrefix.Write(room, plaintext);

        host.Metrics.Sealed(records, bytes);
        Volatile.Write(ref _lastTurn, host.Time.GetTimestamp());
        switch (outcome)
        {
            case TurnOutcome.More:
                RequestTurn();
                TryHandOver();
                break;
            case TurnOutcome.Done:
                End(CloseReason.Done, null);
                break;
            case TurnOutcome.Failed:
                End(CloseReason.ProtocolError, null);
                break;
            default:
                if (!TryHandOver())
                    TryCheckpoint();
                break;
        }

        return bytes == 0 ? 0 : RecordsPrefix.Length + bytes;
    }

    private void OnProtocolError(TlsException error)
    {
        host.LogProtocolError(Info.SessionId, Info.Client, error.Message);
        host.Spoil(_resumptionId);
        if (_phase!.ReceivedFatalAlert is not null)
        {
            End(CloseReason.Aborted, new ConnectionResetException(error.Message));
            return;
        }

        EndWith(error.Alert, error.Message);
    }

    /// <summary>The next turn sends this alert, and that is the end.</summary>
    private void EndWith(AlertDescription alert, string reason)
    {
        // The output first: the application may end its own as soon as it sees that the input has ended, and the alert must not come after close_notify.
        _failing = true;
        lock (_writeGate)
            _output!.Fail(alert);
        lock (_readGate)
            _input!.Complete(new ConnectionAbortedException(reason));
        _connection!.SignalClosed();
        RequestTurn();
    }

    // On the thread of whoever wrote, which may be in a turn of ours at the moment.
    private void OnReadable()
    {
        try
        {
            lock (_writeGate)
            {
                if (Volatile.Read(ref _ended) != 0)
                    return;
                _output!.TakeRead();
            }
        }
        catch (Exception e)
        {
            if (!_failing)
                Abort($"the application failed: {e.Message}");
            return;
        }

        RequestTurn();
    }

    /// <summary>The one end of every connection. Called from anywhere, but not behind a gate.</summary>
    /// <param name="say">What the gateway is told; null when it knows.</param>
    /// <param name="error">What the application is told; null at an end in order.</param>
    private void End(CloseReason? say, Exception? error)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        if (say is { } reason)
            Send(FrameKind.Close, [(byte)reason]);
        Release();
        if (_connection is null)
            return;

        host.LogEnded(Info.SessionId, Info.Client, say, error?.Message);
        TearDown(error);
    }

    /// <summary>Gives everything back. Once, when <see cref="_ended"/> says so.</summary>
    private void TearDown(Exception? error)
    {
        host.Metrics.Detached();
        host.Sessions.Remove(this);
        lock (_readGate)
            _input!.Complete(error);
        lock (_writeGate)
            _output!.Complete();
        _phase!.Dispose();
        _connection!.End();
    }
}
