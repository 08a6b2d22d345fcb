using CSsl.Grains.Handshake;
using CSsl.Link;
using CSsl.Tls.Handshake;
using Microsoft.Extensions.Logging;

namespace CSsl.Silo.Handshake;

/// <summary>
/// One handshake on a data link, in lock-step: a Handshake frame becomes a call to the connection's lane, the lane's answer a Flight or
/// Established frame. Nothing of the handshake is kept here.
/// </summary>
internal sealed partial class HandshakeLinkChannel(HandshakeLanes lanes, ResumptionStore sessions, TimeSpan handshakeTime, TimeProvider time, ILogger<HandshakeLinkChannel> logger) : LinkChannel
{
    private readonly Lock _gate = new();
    private Guid _handshakeId;
    private IHandshakeGrain? _lane;
    private string? _dataSilo;
    private long _startedAt;
    private TimeSpan _limit;
    private bool _busy;
    private bool _begun;
    private bool _gone;

    protected override void OnFrame(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.HandshakeStart when _lane is null:
                var start = HandshakeStart.Decode(payload);
                _handshakeId = Guid.NewGuid();
                _lane = lanes.Of(_handshakeId);
                _dataSilo = start.DataSilo;
                _startedAt = time.GetTimestamp();
                _limit = TimeSpan.FromMilliseconds(Math.Clamp(start.DeadlineMilliseconds, 0, handshakeTime.TotalMilliseconds));
                break;
            case FrameKind.Handshake when _lane is not null:
                Begin();
                _ = AdvanceAsync(payload.ToArray());
                break;
            case FrameKind.Close:
                Release();
                OnGone();
                break;
            default:
                throw new LinkException($"A {kind} frame is not expected here.");
        }
    }

    protected override void OnLinkLost(Exception reason) => OnGone();

    private void Begin()
    {
        lock (_gate)
        {
            if (_busy)
                throw new LinkException("A Handshake frame came before the answer to the one before it.");
            _busy = true;
            _begun = true;
        }
    }

    private async Task AdvanceAsync(byte[] records)
    {
        HandshakeAnswer answer;
        var began = time.GetTimestamp();
        lanes.Metrics.BeginStep();
        try
        {
            answer = await _lane!.Advance(new HandshakeRequest { HandshakeId = _handshakeId, TimeLeft = _limit - time.GetElapsedTime(_startedAt), DataSilo = _dataSilo, Records = records }, CancellationToken.None);
            if (!answer.WantedSession.IsEmpty)
            {
                var session = await sessions.FindAsync(answer.WantedSession);
                answer = await _lane!.Resume(new HandshakeResumption { HandshakeId = _handshakeId, Session = session }, CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            LogLaneFailed(e);
            answer = new HandshakeAnswer { Consumed = 0, Flight = default, Error = "the lane can't be reached", Failure = HandshakeFailure.Internal };
        }
        finally
        {
            lanes.Metrics.EndStep(time.GetElapsedTime(began));
        }

        if (answer.Resumption is { } made)
            sessions.Store(made);
        if (!answer.InvalidatedSession.IsEmpty)
            sessions.Remove(answer.InvalidatedSession);

        var over = answer.Error is not null || answer.Established is not null;
        lock (_gate)
        {
            _busy = false;
            _begun &= !over;
            if (_gone)
            {
                if (_begun)
                    Abandon();
                return;
            }
        }

        try
        {
            Reply(answer);
        }
        catch (ArgumentException e)
        {
            // More than a frame holds.
            LogNoReply(e);
            Close(CloseReason.Aborted);
        }
    }

    private void Reply(HandshakeAnswer answer)
    {
        if (answer.Established is not { } session)
        {
            Send(FrameKind.Flight, new Flight(answer.Consumed, answer.Failure, answer.Error ?? "", answer.Flight.Span).Encode());
            if (answer.Failure != HandshakeFailure.None)
                Close(CloseReason.ProtocolError);
            return;
        }

        Send(FrameKind.Established, new Established
        {
            Consumed = answer.Consumed,
            SessionId = session.SessionId,
            Capsule = session.Capsule,
            ClientSequence = session.ClientSequence,
            ServerSequence = session.ServerSequence,
            Version = session.Version,
            CipherSuite = session.CipherSuite,
            Group = session.Group,
            Resumed = session.Resumed,
            ApplicationProtocol = session.ApplicationProtocol,
            ServerName = session.ServerName,
            Records = answer.Flight,
        }.Encode());
        Release();
    }

    private void Close(CloseReason reason)
    {
        Send(FrameKind.Close, [(byte)reason]);
        Release();
    }

    // The order of two calls is not promised: with one under way, its answer is waited for.
    private void OnGone()
    {
        lock (_gate)
        {
            _gone = true;
            if (_begun && !_busy)
                Abandon();
        }
    }

    private void Abandon()
    {
        _begun = false;
        _ = AbandonAsync();
    }

    private async Task AbandonAsync()
    {
        try
        {
            await _lane!.Abandon(_handshakeId, CancellationToken.None);
        }
        catch (Exception e)
        {
            // The lane forgets it at its deadline.
            LogLaneFailed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a handshake's answer can't be sent")]
    private partial void LogNoReply(Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a handshake lane can't be reached")]
    private partial void LogLaneFailed(Exception error);
}
