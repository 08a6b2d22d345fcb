using System.Diagnostics.CodeAnalysis;
using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Tls;
using CSsl.Tls.Engines;
using CSsl.Tls.Records;
using CSsl.Tls.Sessions;
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

    // The application never sees it.
    private bool _isUnseen;

    // Nothing is sealed before it is certain that nobody else does. Behind the write gate.
    private bool _isGranted;
    private int _ended;

    /// <inheritdoc/>
    public SessionInfo Info => _info ?? throw new InvalidOperationException("The session is not attached yet.");

    /// <inheritdoc/>
    public bool IsTakeover { get; private set; }

    /// <inheritdoc/>
    public bool IsOver => Volatile.Read(ref _ended) != 0;

    /// <inheritdoc/>
    public ulong ClientRecords => _phase?.RecordsOpened ?? 0;

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
    public void Supersede()
    {
        if (!IsOver)
        {
            host.Metrics.CountSuperseded();
            host.LogSuperseded(Info.SessionId, Info.Gateway, Info.Generation);
        }

        End(CloseReason.Superseded, new ConnectionAbortedException("there is a newer attach of the session"));

        // Whoever was in the middle of a turn, or of a record, or of ending it, is done.
        lock (_writeGate)
        {
            lock (_readGate)
            {
            }
        }
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
            if (Volatile.Read(ref _ended) != 0 || !_isGranted || _handingOver || IsKeyUpdateAnnounced())
                return 0;
            (bytes, records, plaintext) = _output!.Fill(room[RecordsPrefix.Length..], sealing, out outcome);
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
        host.Invalidate(_resumptionId);
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

        // An attach that failed half-way was never in the table, nor the application's.
        if (_output is null)
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

    private void OnAttach(Attach attach)
    {
        if (!host.TryOpen(attach, out var session, out var refusal))
        {
            Refuse(refusal);
            return;
        }

        try
        {
            Open(attach, session);
        }
        catch
        {
            // The link ends the channel; what was made so far has no owner that would.
            session.Dispose();
            if (_output is null)
                _phase?.Dispose();
            throw;
        }
    }

    private void Open(Attach attach, ExportedSession session)
    {
        var tls = new TlsFeatures(session, attach.SessionId, host.SiloName);
        _info = new SessionInfo
        {
            SessionId = attach.SessionId,
            Gateway = Link.Peer.Name,
            Client = attach.Client.ToString(),
            ServerName = session.ServerName,
            Protocol = session.ApplicationProtocol,
            Version = SessionInfo.NameOf(session.Version),
            CipherSuite = SessionInfo.NameOf(session.CipherSuite),
            Silo = host.SiloName,
            EstablishedAt = session.CreatedAt,
            AttachedAt = host.Time.GetUtcNow(),
            Takeovers = attach.Takeovers,
            Generation = attach.Generation,
        };
        (_capsule, _sealedAt) = (attach.Capsule, session.SealedAt);
        IsTakeover = attach.Cause == AttachCause.Takeover;
        _checkpoint = attach.ClientSequence;
        _connection = new DecryptedConnection(attach, tls, host.Pool, this);
        _resumptionId = session.ResumptionId;
        var isFirstHere = host.IsFirstHere(attach, session);
        var (createdAt, firstSilo) = (session.CreatedAt, session.DataSilo);
        _phase = new DataPhase(session, host.Engine, host.Time) { HoldsKeyUpdates = true };
        _input = new RecordInput(this, _phase, _connection.Input, attach.ClientSequence + (ulong)attach.ReplayRecords);
        _output = new RecordOutput(this, _phase, _connection.Output, OnReadable);
        var takeover = host.ReadTakeover(attach);
        _sent = takeover?.Delivered ?? 0;
        if (!tls.IsHttp2)
            _exchanges = _connection.Count(this, takeover);

        host.Metrics.Attached(attach.Cause);
        host.LogAttached(attach.SessionId, _info.Client, attach.Cause, attach.ReplayRecords, attach.DeliveredBytes, takeover?.Note?.Kind);
        if (!host.Sessions.Add(this))
            return;

        // Asked after the session can be found: who comes between says so itself.
        lock (_writeGate)
            _isRenewalDue |= host.IsRenewalDue(_capsule, _sealedAt);

        // Where the application does not see it, what the client sends on is nobody's, and may be under a key that it has changed to in a record which is lost.
        var start = TakeoverStart.Of(attach, tls.IsHttp2, takeover?.Note);
        _isUnseen = start.Kind != TakeoverStartKind.Serve;
        if (isFirstHere)
            Grant(attach.KeyUpdates, start);
        else
            _ = ClaimAsync(attach, start, createdAt, firstSilo);
    }

    /// <summary>Serves the session once it is certain that nobody else does. Meanwhile its records are opened, and wait for the application.</summary>
    private async Task ClaimAsync(Attach attach, TakeoverStart start, DateTimeOffset createdAt, string? firstSilo)
    {
        try
        {
            var verdict = await host.ClaimAsync(this, createdAt, firstSilo);
            if (!verdict.IsGranted)
            {
                Supersede();
                return;
            }

            lock (_readGate)
                _input!.RaiseFirstNew(verdict.ClientRecords);
            Grant(verdict.HasStoppedAnother ? Math.Max(attach.KeyUpdates, (byte)1) : attach.KeyUpdates, start);
            Link.Flush();
        }
        catch (Exception e)
        {
            host.LogNotBegun(Info.SessionId, e);
            Abort("the session can't be begun");
        }
    }

    /// <summary>This silo is the one that serves the session: gives it to the application.</summary>
    private void Grant(int keyUpdates, TakeoverStart start)
    {
        lock (_writeGate)
        {
            // It may have ended, or been attached elsewhere, meanwhile.
            if (IsOver)
                return;
            Send(FrameKind.Attached, default, hurried: false);
            _phase!.RequestKeyUpdate(keyUpdates);
            _isGranted = true;
            _output!.Start();
        }

        RequestTurn();
        if (!_failing)
            Begin(start);
        if (!host.TakesSessions)
            Drain();
    }

    private void Begin(TakeoverStart start)
    {
        switch (start.Kind)
        {
            case TakeoverStartKind.Serve when host.Listener.TryAdd(_connection!):
                break;
            case TakeoverStartKind.Serve:
                Abort("the silo is leaving");
                break;
            case TakeoverStartKind.EndInOrder:
                _connection!.EndUnseen(start.Response);
                break;
            default:
                Abort("what the client has can't go on");
                break;
        }
    }

    private void Refuse(CloseReason reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        Send(FrameKind.Close, [(byte)reason]);
        Release();
    }

    // The client's record number at the last checkpoint. Written behind both gates.
    private ulong _checkpoint;
    private long _idleSince;
    private volatile bool _draining;

    // Where the session is to go on, by order.
    private volatile string? _target;

    // Bytes of the application's since the last checkpoint that are in records of ours or of an earlier silo's. Behind the write gate, as what follows.
    private long _sent;

    // No turn lays out anything until the gateway has taken the session over, or says that it can't; then it is not asked again before the next checkpoint.
    private bool _handingOver;
    private bool _isHandOverRefused;

    // What the gateway has, and what it goes on with after the KeyUpdate that was announced. Behind the write gate.
    private ReadOnlyMemory<byte> _capsule;
    private ReadOnlyMemory<byte> _nextCapsule;
    private DateTimeOffset _sealedAt;

    // The capsule is to be sealed anew, though nothing else has changed: half of its life is over, or the cluster seals under another key.
    private volatile bool _isRenewalDue;

    // Its key is gone: there is nothing to seal it anew from, and it was said.
    private bool _isRenewalLost;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Capsule
    {
        get
        {
            lock (_writeGate)
                return _capsule;
        }
    }

    /// <inheritdoc/>
    public bool IsRegistered { get; set; }

    /// <inheritdoc/>
    public void Drain()
    {
        _draining = true;
        if (_exchanges is null)
            RequestClose();
        else
            TryCheckpoint();
    }

    /// <inheritdoc/>
    public void EndUpgraded()
    {
        if (_exchanges is { IsUpgraded: true } && !_failing)
            EndWith(AlertDescription.CloseNotify, "the silo leaves");
    }

    /// <inheritdoc/>
    public void Hibernate(TimeSpan idleTime)
    {
        if (_exchanges is not null && _connection!.IsInputAwaited && host.Time.GetElapsedTime(Volatile.Read(ref _idleSince)) >= idleTime)
            TryCheckpoint(DetachReason.Idle);
    }

    /// <inheritdoc/>
    public void RenewCapsule()
    {
        lock (_writeGate)
            _isRenewalDue |= host.IsRenewalDue(_capsule, _sealedAt);
        TryCheckpoint();
    }

    /// <inheritdoc/>
    public SessionMove Move(string silo)
    {
        if (_exchanges is not { } exchanges)
            return SessionMove.Http2;
        if (exchanges.IsUpgraded)
            return SessionMove.Upgraded;
        if (silo == host.SiloName)
            return SessionMove.AlreadyThere;

        _target = silo;
        TryCheckpoint();
        return Volatile.Read(ref _ended) != 0 || TryHandOver() ? SessionMove.UnderWay : SessionMove.AtCheckpoint;
    }

    ulong IExchangeOwner.Checkpoint => Volatile.Read(ref _checkpoint);

    long IExchangeOwner.ReplayEnd => _input!.ReplayEnd;

    void IDecryptedConnectionOwner.InputAwaited()
    {
        if (_closeRequested)
            ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.TryRequestClose(), _connection!, preferLocal: false);
        if (_exchanges is null)
            return;
        _exchanges.OnIdle();
        Volatile.Write(ref _idleSince, host.Time.GetTimestamp());
        TryCheckpoint();
    }

    bool IExchangeOwner.TrySendNote(ExchangeNote note, bool hurried)
    {
        var payload = host.Seal(note, Info.SessionId);
        lock (_writeGate)
        {
            // Behind bytes that still wait to be sent it would say that the client has them.
            if (Volatile.Read(ref _ended) != 0 || !_output!.IsDrained)
                return false;
            Send(FrameKind.ResponseNote, payload, hurried: false);
        }

        if (hurried)
            Link.Flush();
        return true;
    }

    /// <summary>Tells the gateway where the session stands, if it is quiescent; and leaves it, if it is time to. Called from anywhere, but not behind a gate.</summary>
    /// <param name="leave">Why to leave; null: only if the silo drains.</param>
    /// <remarks>Whoever ends what kept the session from being quiescent calls this: the application that waits for input, the turn that sent the last of the output,
    /// the read loop that took a record of TLS itself. A frame without hurry is only queued, so that it may be sent behind the gate: no turn comes between.</remarks>
    private void TryCheckpoint(DetachReason? leave = null)
    {
        if (_exchanges is not { } exchanges || !_connection!.IsInputAwaited || Volatile.Read(ref _ended) != 0)
            return;
        var target = _target;
        if (target is not null)
            leave = DetachReason.Move;
        else if (_draining)
            leave = DetachReason.Drain;

        bool isHurried;
        lock (_writeGate)
        {
            if (Volatile.Read(ref _ended) != 0 || _handingOver || !_output!.IsDrained || _phase!.HasPending)
                return;
            Checkpoint? checkpoint;
            lock (_readGate)
            {
                checkpoint = TakeCheckpoint(exchanges, leave is not null);
                if (checkpoint is null)
                    return;
                isHurried = leave is not null || exchanges.NeedsCheckpoint;
                exchanges.OnCheckpoint();

                // Everything that ends a connection asks for this mark before it does anything, or behind the write gate. Set behind this gate: a record that
                // is opened after the checkpoint is the next silo's, and must not get to the application here too.
                if (leave is not null && Interlocked.Exchange(ref _ended, 1) != 0)
                    return;
            }

            (_sent, _isHandOverRefused) = (0, false);
            if (!checkpoint.Capsule.IsEmpty)
                (_capsule, _sealedAt, IsRegistered) = (checkpoint.Capsule, host.Time.GetUtcNow(), false);
            if (leave is { } reason)
            {
                Send(FrameKind.Detach, new Detach { ClientRecord = checkpoint.ClientRecord, ServerRecord = checkpoint.ServerRecord, Capsule = checkpoint.Capsule, Reason = reason, Silo = target }.Encode(), hurried: false);
                host.LogDetached(Info.SessionId, Info.Client, reason, checkpoint.ClientRecord, checkpoint.ServerRecord);
            }
            else
            {
                Send(FrameKind.Checkpoint, checkpoint.Encode(), hurried: false);
            }
        }

        host.Metrics.CountCheckpoint();
        if (isHurried)
            Link.Flush();
        if (leave is { } left)
        {
            host.Metrics.CountDetach(left);
            Release();
            TearDown(null);
        }
    }

    /// <summary>If the session is to go on elsewhere, and the response under way is one that another silo could continue after a crash, offers it to the gateway. From anywhere, but
    /// not behind a gate; in a turn, behind that turn's records.</summary>
    /// <returns>True: it is offered, now or before.</returns>
    private bool TryHandOver()
    {
        if (_target is not { } target || _exchanges is not { } exchanges)
            return false;
        lock (_writeGate)
        {
            if (_handingOver)
                return true;
            if (Volatile.Read(ref _ended) != 0 || _failing || _closeRequested || _isHandOverRefused)
                return false;
            ulong next;
            lock (_readGate)
            {
                if (_phase!.MessageUnderWay || !exchanges.TryHandOver(_sent, _input!.Plaintext))
                    return false;
                next = _phase.RecordsOpened;
            }

            _handingOver = true;
            Send(FrameKind.HandOver, new HandOver { ClientRecord = next, Silo = target }.Encode(), hurried: false);
        }

        Link.Flush();
        return true;
    }

    /// <summary>The gateway could not take the session over: it goes on here, and leaves at its next checkpoint.</summary>
    private void GoOn()
    {
        lock (_writeGate)
            (_handingOver, _isHandOverRefused) = (false, true);
        _exchanges?.GoOn();
        RequestTurn();
        TryCheckpoint();
    }

    // Behind both gates. Null: the session is not quiescent, or stands where it stood. After a takeover also while records that an earlier silo had seen are
    // still to come: what the client has of their answers is counted from the last checkpoint, and must not be forgotten before they are here.
    private Checkpoint? TakeCheckpoint(HttpExchanges exchanges, bool isDue)
    {
        if (_input!.IsEnded || _closeRequested || _phase!.MessageUnderWay || !_connection!.IsInputAwaited || !exchanges.IsQuiescentAt(_input.Plaintext))
            return null;
        var next = _phase.RecordsOpened;
        if (next < _input.FirstNew)
            return null;
        if (next == _checkpoint && !isDue && !_isRenewalDue)
            return null;
        Volatile.Write(ref _checkpoint, next);
        return new Checkpoint { ClientRecord = next, ServerRecord = _phase.RecordsSealed, Capsule = TakeCapsule() };
    }

    /// <summary>What the gateway is to have from this checkpoint on; empty: what it has. Behind both gates.</summary>
    private ReadOnlyMemory<byte> TakeCapsule()
    {
        if (!_nextCapsule.IsEmpty)
            (_capsule, _nextCapsule, _sealedAt, IsRegistered) = (_nextCapsule, default, host.Time.GetUtcNow(), false);

        // Before it is looked: the cluster may come to seal under another key meanwhile.
        _isRenewalDue = false;
        var isDue = !_isRenewalLost && host.IsRenewalDue(_capsule, _sealedAt);
        if (_phase!.Checkpoint(isDue) is { } session)
            return host.Seal(session, Info.SessionId);
        if (!isDue)
            return default;
        var renewed = host.Renew(_capsule, Info.SessionId);
        _isRenewalLost = renewed.IsEmpty;
        return renewed;
    }

    /// <summary>Before the write key changes, the gateway gets the capsule that goes with the next one. Behind the write gate, in a turn: what is sent now goes before the next turn's records.</summary>
    /// <returns>True: this turn is over.</returns>
    private bool IsKeyUpdateAnnounced()
    {
        if (!_phase!.KeyUpdateHeld)
            return false;
        Rekeyed rekeyed;
        lock (_readGate)
            rekeyed = new Rekeyed { ServerRecord = _phase.RecordsSealed + 1, Capsule = host.Seal(_phase.ExportNext(), Info.SessionId) };
        _nextCapsule = rekeyed.Capsule;
        Send(FrameKind.Rekeyed, rekeyed.Encode(), hurried: false);
        RequestTurn();
        return true;
    }
}
