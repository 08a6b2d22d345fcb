using CSsl.Gateway.Admission;
using CSsl.Gateway.Connections;
using CSsl.Gateway.Links;
using CSsl.Gateway.Records;
using CSsl.Grains.Cluster;
using CSsl.Link;
using CSsl.Tls.Sessions;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.VirtualConnections;

/// <summary>
/// A client's connection after its handshake: at one data silo, then at another, or asleep at none. It is the gateway's socket, a capsule and two counters that
/// make it one connection (docs/adr/0005).
/// </summary>
/// <remarks>
/// <code>
///                a silo takes it                      loss or Detach, nothing under way
///   TakingOver ------------------> Attached -----------------------------------------> Asleep
///     ^  ^  |                       |    |                                              |  |
///     |  |  |                       |    | the last record is out, or the client is gone |  | the client is gone
///     |  |  +-----------------------|----+-----> Closing +------------------------------|--+
///     |  |   no silo, too many      |                                                   |
///     |  +--------------------------+                                                   |
///     |     refused; loss or Detach with something under way; handed over               |
///     +---------------------------------------------------------------------------------+
///                        the client speaks, or it is to finish, or to move
/// </code>
/// One task runs the states. Links, timers and the client's pipe only note what happened and wake it (<see cref="AsyncSignal"/>).
/// </remarks>
internal sealed partial class VirtualConnection
{
    /// <summary>The most silos that are asked to open one capsule. More than one can only be needed while sealing keys are being put right.</summary>
    internal const int MaxNotOpened = 5;

    private readonly ConnectionEntry _entry;
    private readonly ConnectionServices _services;
    private readonly AsyncSignal _signal = new();
    private readonly TakeoverHistory _history = new();
    private DataChannel? _channel;
    private List<string>? _refusedBy;
    private AttachCause _cause = AttachCause.First;
    private SiloLoss? _loss;
    private volatile bool _isInDoubt;
    private LinkedListNode<DeadlineQueue.Ticket>? _takeoverTicket;
    private LinkedListNode<DeadlineQueue.Ticket>? _deliveryTicket;
    private int _outcome;

    // Silos that can't open the capsule: not asked again before one has. Null: there are none.
    private List<string>? _notOpenedBy;
    private bool _isRefusedByOthers;
    private volatile bool _isFinishing;
    private volatile bool _isRenewing;
    private readonly bool _isHttp2;
    private long _quietSince;

    // Name of the silo that it is to go on at, by order.
    private volatile string? _target;

    // The silo that the capsule is sealed for, until it was asked.
    private SiloLink? _first;

    public VirtualConnection(ClientSocket socket, ConnectionEntry entry, Established session, SiloLink? first, ConnectionServices services)
    {
        (_entry, _first, _services) = (entry, first, services);
        _isHttp2 = session.ApplicationProtocol == "h2";
        _quietSince = services.Time.GetTimestamp();
        var retained = _isHttp2 ? 0 : services.Limits.ReplayBuffer;
        Upstream = new ClientUpstream(this, entry, socket.Input, new ReplayBuffer(session.ClientSequence, retained), new CloseNotifyWatch(socket.Input, session.Version, services.Deadlines.CloseNotify),
            RecordRouter.MaxLength(ConnectionPhase.Data, session.Version), services.Meters);
        Downstream = new ClientDownstream(this, entry, socket.Output, new SentToClient(session.Capsule, session.ServerSequence), services.Meters);
    }

    /// <summary>Where it is.</summary>
    public ConnectionState State { get; private set; }

    /// <summary>How often a silo went on in the middle of what another had begun.</summary>
    public int Takeovers => _history.Takeovers;

    /// <summary>The one reader of the client.</summary>
    public ClientUpstream Upstream { get; }

    /// <summary>The one writer to the client.</summary>
    public ClientDownstream Downstream { get; }

    /// <summary>What it is doing. HTTP/2 can always be asked to leave (GOAWAY), and is idle here as soon as nothing passes.</summary>
    public Idleness Idleness => State switch
    {
        ConnectionState.Asleep => Idleness.Asleep,
        ConnectionState.Attached when _isHttp2 || (!Upstream.HasRecord && IsAtRest) => Idleness.Idle,
        _ => Idleness.Busy,
    };

    /// <summary>Time stamp of the last record, either way.</summary>
    public long QuietSince => Volatile.Read(ref _quietSince);

    /// <summary>The silo had consumed all that it was given, and the client has nothing that is only the beginning of an answer.</summary>
    private bool IsAtRest => Read(static (received, sent) => received.Checkpoint == received.End && sent.BytesSinceCheckpoint == 0);

    private DataOutcome Outcome => (DataOutcome)Volatile.Read(ref _outcome);

    /// <summary>Runs the connection to its end; when it returns, nobody uses the client's pipes any more.</summary>
    public async Task<DataOutcome> RunAsync()
    {
        var pumping = Upstream.RunAsync();
        while (Outcome == DataOutcome.None)
        {
            if (Step() is { } next)
                State = next;
            else
                await _signal.WaitAsync();
        }

        CloseBooks();
        Upstream.Stop();
        await pumping;
        return Outcome;
    }

    /// <summary>Ends it, from any thread, also from within a pipe's callback. The first outcome stays.</summary>
    public void End(DataOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, (int)outcome, (int)DataOutcome.None) == (int)DataOutcome.None)
            Wake();
    }

    /// <summary>Whatever is under way is to be finished, and then the connection: close_notify and FIN. A sleeping one wakes up for it.</summary>
    public void Finish()
    {
        _isFinishing = true;
        Wake();
    }

    /// <summary>A record passes.</summary>
    public void Touch() => Volatile.Write(ref _quietSince, _services.Time.GetTimestamp());

    /// <summary>It is to go on at that silo: from any thread. A sleeping one is attached there; the silo of another says when it can leave.</summary>
    public void MoveTo(string silo)
    {
        _target = silo;
        Wake();
    }

    /// <summary>Lets a silo seal a sleeping connection's capsule anew, unless it is sealed under that key.</summary>
    /// <returns>True when it wakes up for it.</returns>
    public bool RenewCapsule(string key)
    {
        if (Downstream.Read(static sent => sent.Capsule) is var capsule && SessionCapsule.IsSealedUnder(capsule.Span, key))
            return false;
        _isRenewing = true;
        Wake();
        return true;
    }

    /// <summary>Something has changed.</summary>
    public void Wake() => _signal.Set();

    /// <summary>What to do in this state: the next one; null waits until something has changed.</summary>
    private ConnectionState? Step() => State switch
    {
        ConnectionState.TakingOver => TakeOver(),
        ConnectionState.Attached => Serve(_channel!),
        _ => Sleep(),
    };

    /// <summary>The best silo that takes it, now or when there is one.</summary>
    private ConnectionState? TakeOver()
    {
        // Asked before looking, so that no silo is missed that comes between.
        var change = _services.Links.NextChange;
        var notOpened = _notOpenedBy?.Count ?? 0;
        if (notOpened < MaxNotOpened && TryAttach())
            return ConnectionState.Attached;

        // All that were asked lack the key, and so will whoever comes next: the client can begin anew, and need not wait.
        if (notOpened >= MaxNotOpened || (notOpened > 0 && !_isRefusedByOthers))
        {
            End(DataOutcome.NotOpened);
            return null;
        }

        _isRefusedByOthers = false;
        LimitTime();
        LogNoSilo(_services.Logger, _entry.Id);
        _refusedBy = _notOpenedBy is null ? null : [.. _notOpenedBy];
        change.Tell(_signal);
        return null;
    }

    /// <summary>Until the silo or the link says that it is over.</summary>
    private ConnectionState? Serve(DataChannel channel)
    {
        if (_isFinishing)
            channel.SendFinish();
        if (_target is { } target && target != channel.Silo && channel.End == ChannelEnd.None)
            channel.SendMove(target);
        switch (channel.End)
        {
            case ChannelEnd.Lost or ChannelEnd.Faulted:
                return OnLost(channel);
            case ChannelEnd.HandedOver:
                return OnHandedOver(channel);
            case ChannelEnd.Idle or ChannelEnd.Drained:
                return OnDetached(channel);
            case ChannelEnd.Refused or ChannelEnd.NotOpened:
                return OnRefused(channel);
            case ChannelEnd.Aborted:
                End(DataOutcome.Aborted);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Until the client sends a record, or is gone.</summary>
    private ConnectionState? Sleep()
    {
        if (Upstream.HasRecord || _isFinishing || _isRenewing || _target is not null)
        {
            _services.Meters.Sessions.WakeUp(isForGood: true);
            return Follow(AttachCause.Wake);
        }

        if (Upstream.HasEnded)
            FinishDelivery();
        return null;
    }

    private ConnectionState OnLost(DataChannel channel)
    {
        var isAtRest = Drop(channel);
        Read((received, sent) => _history.Lose(received, sent));
        SettleLoss(LossOutcome.TakenOver);
        _loss = channel.End == ChannelEnd.Lost ? channel.Loss : null;
        if (isAtRest)
        {
            SettleLoss(LossOutcome.AtRest);
            return FallAsleep();
        }

        _isInDoubt = true;
        Downstream.ExpectAfterFault(_services.Time.GetTimestamp());
        LimitTime();
        _refusedBy = channel.End == ChannelEnd.Faulted ? [channel.Silo] : null;
        return Follow(AttachCause.Takeover);
    }

    private ConnectionState OnDetached(DataChannel channel)
    {
        var isAtRest = Drop(channel);
        _services.Meters.Sessions.CountDetached(isHibernation: isAtRest && channel.End == ChannelEnd.Idle);
        _target = channel.Target ?? _target;
        return isAtRest && _target is null ? FallAsleep() : Follow(AttachCause.Move);
    }

    private ConnectionState OnHandedOver(DataChannel channel)
    {
        Drop(channel);
        Read((_, sent) =>
        {
            _history.HandOver(channel.UnseenFrom, sent);
            return true;
        });
        _services.Meters.Sessions.CountDetached(isHibernation: false);
        _target = channel.Target;
        LimitTime();
        _refusedBy = null;
        return Follow(AttachCause.Takeover);
    }

    private ConnectionState OnRefused(DataChannel channel)
    {
        Drop(channel);
        (_refusedBy ??= []).Add(channel.Silo);
        if (channel.End == ChannelEnd.NotOpened)
            (_notOpenedBy ??= []).Add(channel.Silo);
        else
            _isRefusedByOthers = true;
        return ConnectionState.TakingOver;
    }

    private ConnectionState FallAsleep()
    {
        _entry.Silo = null;
        EndLimit();
        Upstream.Rest();
        _services.Meters.Sessions.FallAsleep();

        // Before anybody is told.
        State = ConnectionState.Asleep;
        LogAsleep(_services.Logger, _entry.Id);
        return ConnectionState.Asleep;
    }

    /// <summary>Another attach; but a request that silos die of must not have all of them. One that was ordered is not the request's doing.</summary>
    private ConnectionState Follow(AttachCause cause)
    {
        _cause = cause;
        if ((_target is null && Read(_history.CountAttach) > _services.Limits.Takeovers) || _history.Takeovers > ushort.MaxValue)
            End(DataOutcome.TooManyTakeovers);
        return ConnectionState.TakingOver;
    }

    /// <summary>True once a silo has opened the capsule.</summary>
    public bool WasAttached { get; private set; }

    /// <summary>The silo serves the session.</summary>
    public void OnAttached()
    {
        WasAttached = true;
        _notOpenedBy = null;
        EndLimit();
    }

    /// <summary>Everything before these records is done with.</summary>
    /// <exception cref="LinkException">It can't be.</exception>
    public void OnCheckpoint(DataChannel channel, ulong clientRecord, ulong serverRecord, ReadOnlyMemory<byte> capsule)
    {
        // Both halves or none: a capsule fits its checkpoint.
        if (!Downstream.CheckCheckpoint(channel, serverRecord, capsule))
            return;
        if (!Upstream.TryRelease(clientRecord))
            throw new LinkException($"A checkpoint at the client's record {clientRecord}, which is before the last one or was not passed on yet.");

        Downstream.Checkpoint(capsule);
        GoOn();
    }

    /// <summary>Nothing more comes on the channel.</summary>
    public void OnChannelEnded(DataChannel channel)
    {
        Upstream.Close(channel);
        if (channel.End == ChannelEnd.Done)
            FinishDelivery();
        else
            Downstream.Close(channel);
        Wake();
    }

    /// <summary>The client has got the first byte from a silo that took over.</summary>
    /// <param name="faultAt">Time stamp of the loss.</param>
    public void OnFirstByte(long faultAt)
    {
        _services.Meters.Sessions.RecordFirstByte(_services.Time.GetElapsedTime(faultAt));
        GoOn();
    }

    private bool TryAttach()
    {
        while (PickSilo() is { } silo)
        {
            var channel = new DataChannel(this, silo.Name);
            var attach = Describe();
            _isRenewing = false;
            LimitTime();
            Downstream.Open(channel);
            if (silo.TryOpen(channel, attach.Encode()))
            {
                _channel = channel;
                _entry.Attach(silo.Name, attach.Generation, _services.Time.GetUtcNow());
                LogAttached(_services.Logger, _entry.Id, silo.Name, attach.Cause, attach.Takeovers);

                // The client's first request is often there already: then Attach leaves with it.
                Upstream.Open(channel);
                channel.Link.Flush();
                return true;
            }

            Downstream.Close(channel);
            (_refusedBy ??= []).Add(silo.Name);
            _isRefusedByOthers = true;
        }

        return false;
    }

    /// <summary>Where it was ordered to, if that silo can be reached and does not refuse it; at first where its capsule is sealed for; or else the best.</summary>
    private SiloLink? PickSilo()
    {
        if (Interlocked.Exchange(ref _target, null) is { } target && _refusedBy?.Contains(target) != true && _services.Links.Find(target) is { } ordered)
            return ordered;
        return Interlocked.Exchange(ref _first, null) is { IsUsable: true } first ? first : _services.Links.Pick(SiloRoles.Data, _refusedBy);
    }

    private Attach Describe()
    {
        Upstream.Rewind();
        return Read((received, sent) => _history.Describe(
            new Attach
            {
                SessionId = _entry.SessionId,
                Capsule = sent.Capsule,
                ClientSequence = received.Next,
                ServerSequence = sent.Records,
                ConnectionId = _entry.Id,
                Client = _entry.Client,
                Server = _entry.Server,
                Cause = _cause,
            },
            received,
            sent));
    }

    /// <summary>Both halves of what the next silo is told. Nobody else changes them then: the channel is dropped.</summary>
    private T Read<T>(Func<ReplayBuffer, SentToClient, T> read) => Upstream.Read(received => Downstream.Read(sent => read(received, sent)));

    /// <summary>The fence, and the end of the channel.</summary>
    /// <returns>True when nothing is under way.</returns>
    private bool Drop(DataChannel channel)
    {
        Upstream.Close(channel);
        Downstream.Close(channel);
        _channel = null;
        LogDropped(_services.Logger, _entry.Id, channel.Silo, channel.End);
        return IsAtRest;
    }

    /// <summary>The last byte is written: once the client's kernel side has it, the connection is done.</summary>
    private void FinishDelivery()
    {
        // A client that does not take the last bytes is not waited for.
        _deliveryTicket ??= _services.Deadlines.Delivery.Enter(() => End(DataOutcome.NotTaken));
        Downstream.Finish();
        Downstream.Flush();
    }

    /// <summary>Whatever it is that keeps a silo from saying that it serves, the client does not wait for ever.</summary>
    private void LimitTime() => _takeoverTicket ??= _services.Deadlines.Takeover.Enter(() => End(DataOutcome.NoSilo));

    private void EndLimit() => _services.Deadlines.Takeover.Leave(Interlocked.Exchange(ref _takeoverTicket, null));

    /// <summary>The next silo has shown that it can.</summary>
    private void GoOn()
    {
        if (_isInDoubt)
            _services.Meters.Sessions.CountTakenOver();
        _isInDoubt = false;
        SettleLoss(LossOutcome.TakenOver);
    }

    private void SettleLoss(LossOutcome outcome) => Interlocked.Exchange(ref _loss, null)?.Settle(outcome);

    private void CloseBooks()
    {
        if (State == ConnectionState.Asleep)
            _services.Meters.Sessions.WakeUp(isForGood: false);
        State = ConnectionState.Closing;
        _services.Deadlines.Takeover.Leave(_takeoverTicket);
        _services.Deadlines.Delivery.Leave(_deliveryTicket);
        var isLost = Outcome switch
        {
            DataOutcome.NoSilo or DataOutcome.NotOpened => WasAttached,
            DataOutcome.TooManyTakeovers => true,
            DataOutcome.Aborted => _isInDoubt,
            _ => false,
        };
        if (isLost)
            _services.Meters.Sessions.CountLost(Outcome);
        else if (Outcome == DataOutcome.Done)
            GoOn();
        SettleLoss(isLost ? LossOutcome.Lost : LossOutcome.ClientGone);
        if (_channel is not { } channel)
            return;

        if (channel.End == ChannelEnd.None)
            channel.Abandon();
        else if (channel.End == ChannelEnd.Lost)
            channel.Loss?.Settle(LossOutcome.ClientGone); // in the same moment
        Downstream.Close(channel);
    }

    [LoggerMessage(EventId = 214, Level = LogLevel.Debug, Message = "Connection {Id} attaches to {Silo}: {Cause}, {Takeovers} silos lost so far")]
    private static partial void LogAttached(ILogger logger, ulong id, string silo, AttachCause cause, int takeovers);

    [LoggerMessage(EventId = 217, Level = LogLevel.Debug, Message = "Connection {Id} sleeps")]
    private static partial void LogAsleep(ILogger logger, ulong id);

    [LoggerMessage(EventId = 216, Level = LogLevel.Debug, Message = "Connection {Id} waits for a silo: there is none")]
    private static partial void LogNoSilo(ILogger logger, ulong id);

    [LoggerMessage(EventId = 215, Level = LogLevel.Debug, Message = "Connection {Id} left {Silo}: {End}")]
    private static partial void LogDropped(ILogger logger, ulong id, string silo, ChannelEnd end);
}

/// <summary>Where a virtual connection is.</summary>
internal enum ConnectionState
{
    /// <summary>Looking for a silo: the first, one to wake up at, one that goes on where another stopped.</summary>
    TakingOver = 0,

    /// <summary>A silo has it.</summary>
    Attached,

    /// <summary>Nobody has it: nothing is under way, and nothing but its state is in memory.</summary>
    Asleep,

    /// <summary>The end.</summary>
    Closing,
}
