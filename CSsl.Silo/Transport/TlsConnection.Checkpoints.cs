using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Tls;

namespace CSsl.Silo.Transport;

/// <content>What makes a session one that can go on elsewhere: checkpoints, leaving, new keys, and notes of responses.</content>
internal sealed partial class TlsConnection
{
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

    // Behind the write gate.
    private ReadOnlyMemory<byte> _capsule;

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
                (_capsule, IsRegistered) = (checkpoint.Capsule, false);
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
        if (next == _checkpoint && !isDue)
            return null;
        Volatile.Write(ref _checkpoint, next);
        return new Checkpoint
        {
            ClientRecord = next,
            ServerRecord = _phase.RecordsSealed,
            Capsule = _phase.Checkpoint() is { } session ? host.Seal(session, Info.SessionId) : default,
        };
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
        Send(FrameKind.Rekeyed, rekeyed.Encode(), hurried: false);
        RequestTurn();
        return true;
    }
}
