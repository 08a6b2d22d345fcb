using CSsl.Grains.Data;
using CSsl.Link;
using CSsl.Silo.Exchanges;
using CSsl.Tls.Records;

namespace CSsl.Silo.Transport;

/// <content>How a session begins here: for the first time, awake again, moved, or taken over.</content>
internal sealed partial class TlsConnection
{
    private void OnAttach(Attach attach)
    {
        if (!host.TryOpen(attach, out var session, out var refusal))
        {
            Refuse(refusal);
            return;
        }

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
        };
        _capsule = attach.Capsule;
        Takeovers = attach.Takeovers;
        _checkpoint = attach.ClientSequence;
        _connection = new DecryptedConnection(attach, tls, host.Pool, this);
        _resumptionId = session.ResumptionId;
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
        Send(FrameKind.Attached, default, hurried: false);
        lock (_writeGate)
        {
            // Another attach of the same session may have ended this one already.
            if (Volatile.Read(ref _ended) == 0)
                _output.Start();
        }

        if (takeover is not null)
        {
            _phase.RequestKeyUpdate();
            RequestTurn();
        }

        Begin(TakeoverStart.Of(attach, tls.IsHttp2, takeover?.Note));
        if (!host.TakesSessions)
            Drain();
    }

    private void Begin(TakeoverStart start)
    {
        // What the client sends on is nobody's, and may be under a key that it has changed to in a record which is lost.
        _isUnseen = start.Kind != TakeoverStartKind.Serve;
        switch (start.Kind)
        {
            case TakeoverStartKind.Serve when host.Listener.TryAdd(_connection!):
                break;
            case TakeoverStartKind.Serve:
                Abort("the silo is leaving");
                break;
            case TakeoverStartKind.EndInOrder:
                _connection!.EndUnseen(start.LastWords);
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
}
