using CSsl.Gateway.Links;
using CSsl.Grains.Cluster;
using CSsl.Link;
using Microsoft.Extensions.Logging;

namespace CSsl.Gateway.VirtualConnections;

/// <content>Opening and dropping channels, and what their links tell of them.</content>
internal sealed partial class VirtualConnection
{
    /// <summary>True once a silo has opened the capsule.</summary>
    public bool WasAttached { get; private set; }

    /// <summary>The silo serves the session.</summary>
    public void OnAttached()
    {
        WasAttached = true;
        _notOpened = 0;
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
            LimitTime();
            Downstream.Open(channel);
            if (silo.TryOpen(channel, attach.Encode()))
            {
                _channel = channel;
                _entry.Attach(silo.Name, _services.Time.GetUtcNow());
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

    /// <summary>Where it was ordered to, if that silo can be reached and does not refuse it; or else the best.</summary>
    private SiloLink? PickSilo()
        => Interlocked.Exchange(ref _target, null) is { } target && _refusedBy?.Contains(target) != true && _services.Links.Find(target) is { } silo ? silo : _services.Links.Pick(SiloRoles.Data, _refusedBy);

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
